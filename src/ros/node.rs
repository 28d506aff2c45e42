//! The node: subscriptions to the worker, the worker's outcomes to publishers, and an orderly end.

use super::parameters::Parameters;
use super::{decode, encode};
use crate::error::Result as RefersegResult;
use crate::frame::Frame;
use crate::segmenter::Segmenter;
use crate::worker::{Around, Outcome, Worker};
use futures::StreamExt;
use r2r::referseg::msg::Segmentation;
use r2r::sensor_msgs::msg::Image;
use r2r::{Context, Node, Publisher, QosProfile};
use std::error::Error;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::signal::unix::{signal, SignalKind};

/// Between two warnings of one kind.
const WARNING_PAUSE: Duration = Duration::from_secs(5);
/// For the frame at hand when the node is told to stop; longer work is abandoned with the process.
const PATIENCE: Duration = Duration::from_millis(500);
/// The longest that the ROS thread waits for something to happen.
const SPIN: Duration = Duration::from_millis(20);

/// A warning that repeats itself at most every [`WARNING_PAUSE`].
struct Warning {
    logger: String,
    last: Option<Instant>,
    held_back: u32,
}

impl Warning {
    fn new(logger: &str) -> Warning {
        Warning { logger: logger.into(), last: None, held_back: 0 }
    }

    fn say(&mut self, message: &str) {
        if self.last.is_some_and(|last| last.elapsed() < WARNING_PAUSE) {
            self.held_back += 1;
            return;
        }
        let more = match self.held_back {
            0 => String::new(),
            count => format!(" ({count} more like it since the last warning)"),
        };
        r2r::log_warn!(&self.logger, "{message}{more}");
        self.last = Some(Instant::now());
        self.held_back = 0;
    }
}

struct Publishers {
    segmentation: Publisher<Segmentation>,
    mask: Publisher<Image>,
    overlay: Publisher<Image>,
    warning: Warning,
}

fn heard<T: r2r::WrappedTypesupport + 'static>(publisher: &Publisher<T>) -> bool {
    publisher.get_inter_process_subscription_count().is_ok_and(|count| count > 0)
}

impl Around<Image> for Publishers {
    fn wanted(&self) -> bool {
        heard(&self.segmentation) || heard(&self.mask) || heard(&self.overlay)
    }

    fn decode(&self, input: &Image) -> RefersegResult<Frame> {
        decode::frame(input)
    }

    fn deliver(&mut self, outcome: Outcome<Image>) {
        if let Err(error) = &outcome.result {
            self.warning.say(&format!("command {}: {error}", outcome.command.number));
        }
        let mask = encode::mask(&outcome);
        // a publisher whose node has ended is no concern any more
        if let (Some(frame), true) = (outcome.frame, heard(&self.overlay)) {
            let _ = self.overlay.publish(&encode::overlay(&outcome, frame));
        }
        if heard(&self.mask) && outcome.frame.is_some() {
            let _ = self.mask.publish(&mask);
        }
        if heard(&self.segmentation) {
            let _ = self.segmentation.publish(&encode::segmentation(&outcome, mask));
        }
    }
}

fn open_context() -> Result<Context, Box<dyn Error>> {
    // r2r panics on arguments that rcl refuses; rcl's own words go to stderr either way
    let quiet = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let context = std::panic::catch_unwind(Context::create);
    std::panic::set_hook(quiet);
    let context = context.map_err(|panic| {
        let said = panic.downcast_ref::<String>().cloned().unwrap_or_default();
        format!("ROS arguments refused: {said}; expected --ros-args as in the README")
    })?;
    Ok(context?)
}

/// Runs the node until SIGINT or SIGTERM.
///
/// # Errors
/// When ROS, the configuration or the model can't be used. Nothing is published then.
pub fn run() -> Result<(), Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(live())
}

async fn live() -> Result<(), Box<dyn Error>> {
    // before anything slow, so that a signal during the loading is not lost
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let mut node = Node::create(open_context()?, "referseg", "")?;
    let logger = node.logger().to_string();
    let mut parameters = Parameters::read(&node)?;
    let (config, mode, reliable) = (parameters.config().clone(), parameters.mode()?, parameters.reliable()?);

    let began = Instant::now();
    let loading = tokio::task::spawn_blocking(move || Segmenter::open(config));
    let segmenter = tokio::select! {
        loaded = loading => loaded??,
        // the process ends with the loading thread still at work: nothing of it is kept
        _ = interrupt.recv() => std::process::exit(0),
        _ = terminate.recv() => std::process::exit(0),
    };
    let model = segmenter.config().model.display().to_string();
    let device = segmenter.device_name();

    let results = QosProfile::default().reliable().keep_last(10);
    let pictures = match reliable {
        true => QosProfile::default().reliable().keep_last(1),
        false => QosProfile::sensor_data().keep_last(1),
    };
    let publishers = Publishers {
        segmentation: node.create_publisher("~/segmentation", results.clone())?,
        mask: node.create_publisher("~/mask", results.clone())?,
        overlay: node.create_publisher("~/overlay", results.clone())?,
        warning: Warning::new(&logger),
    };
    let mut images = node.subscribe::<Image>("image", pictures)?;
    let mut commands = node.subscribe_raw("command", "std_msgs/msg/String", results)?;

    let worker = Arc::new(Worker::start(segmenter, mode, publishers)?);
    let changed = Arc::downgrade(&worker);
    parameters.on_change(move |config, mode| {
        if let Some(worker) = changed.upgrade() {
            let config = config.clone();
            worker.set_mode(mode);
            worker.change(move |segmenter| {
                segmenter.config_mut().answer = config.answer;
                segmenter.config_mut().text.sentence_weight = config.text.sentence_weight;
            });
        }
    });
    let (handler, _events) = node.make_derived_parameter_handler(Arc::new(Mutex::new(parameters)))?;

    // each stream is drained at once: r2r keeps ten messages and would drop the newest
    let of_images = worker.clone();
    let image_task = tokio::spawn(async move {
        while let Some(message) = images.next().await {
            of_images.offer_frame(message);
        }
    });
    let (of_commands, mut warning) = (worker.clone(), Warning::new(&logger));
    let command_task = tokio::spawn(async move {
        while let Some(cdr) = commands.next().await {
            if let Err(error) = of_commands.command(decode::text(&cdr)) {
                warning.say(&error.to_string());
            }
        }
    });
    let parameter_task = tokio::spawn(handler);

    let running = Arc::new(AtomicBool::new(true));
    let spinning = running.clone();
    let spinner = std::thread::Builder::new().name("ros".into()).spawn(move || {
        while spinning.load(Ordering::Relaxed) {
            node.spin_once(SPIN);
        }
        drop(node); // peers see the endpoints go
    })?;
    r2r::log_info!(&logger, "ready: model {model} on {device}, loaded in {:.1} s", began.elapsed().as_secs_f32());

    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    running.store(false, Ordering::Relaxed);
    // a thread that still spins while the process ends crashes it
    let ended = tokio::task::spawn_blocking(move || spinner.join()).await?;
    for task in [image_task, command_task, parameter_task] {
        task.abort();
        let _ = task.await;
    }
    ended.map_err(|_| "the ROS thread broke down")?;
    let mut worker = Arc::into_inner(worker);
    if !worker.as_mut().is_none_or(|worker| worker.stop(PATIENCE)) {
        // not dropped: that would wait for the frame at hand
        std::process::exit(0);
    }
    Ok(())
}

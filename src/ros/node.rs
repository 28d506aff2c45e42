//! The node's process: opens everything, starts what runs beside each other, and ends in order.

use super::lifecycle::Lifecycle;
use super::logger::Logger;
use super::names::Names;
use super::node_core::{BoxError, Core, Running};
use super::node_thread::{NodeThread, WAITING};
use super::parameters::{GivenParameters, Parameters};
use super::{action_server, bond, diagnostics, lifecycle, parameter_server, requests};
use crate::doctor::ros_environment;
use crate::files::catch_panic::caught;
use futures::{FutureExt, StreamExt};
use r2r::referseg::srv::Segment;
use r2r::{Context, Node, QosProfile};
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;
use tokio::signal::unix::{signal, SignalKind};
use tokio::task::JoinHandle;

/// How long the current stage may take when the process is asked to stop; longer work is abandoned with the process.
const PATIENCE: Duration = Duration::from_millis(500);

fn open_context() -> Result<Context, BoxError> {
    // r2r panics on arguments that rcl refuses; rcl's own words go to stderr either way
    let context = caught(Context::create)
        .map_err(|said| format!("ROS arguments refused: {said}; expected --ros-args as in docs/ros.md"))?;
    context.map_err(|error| refused("ROS does not start", &error))
}

/// What rcl refused, with what is wrong here.
fn refused(what: &str, error: &r2r::Error) -> BoxError {
    let arguments: Vec<String> = std::env::args().collect();
    ros_environment::explained(&format!("{what}: {error}"), &arguments).into()
}

/// Runs the node until SIGINT or SIGTERM.
///
/// # Errors
/// When ROS, the configuration or, with `autostart`, the model can't be used.
pub fn run() -> Result<(), Box<dyn Error + Send + Sync>> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let ended = runtime.block_on(run_node());
    // a model that is still being loaded when the process ends is abandoned with it
    runtime.shutdown_background();
    ended
}

async fn run_node() -> Result<(), BoxError> {
    // before anything slow, so that a signal during the loading is not lost
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let domain = ros_environment::domain();
    if !domain.remedy.is_empty() {
        return Err(domain.to_string().into());
    }
    let node = Node::create(open_context()?, "referseg", "");
    let mut node = node.map_err(|error| refused("the node can't be made", &error))?;
    let arguments: Vec<String> = std::env::args().collect();
    let given = GivenParameters::of(&arguments, &node.fully_qualified_name()?)?;
    let parameters = Parameters::read(|name| given.get(name))?;
    let settings = parameters.node().clone();
    let names = Names::of(&arguments, &node.name()?, &node.namespace()?)?;
    let logger = Logger::of(&mut node)?;
    given.warnings.iter().for_each(|warning| logger.warn(warning));
    let parameter_streams = parameter_server::Streams::open(&mut node)?;
    let lifecycle_streams = lifecycle::Streams::open(&mut node)?;
    // deeper than the worker's queue, so that what is too much is refused rather than lost
    let profile = QosProfile::services_default().keep_last(WAITING);
    let calls = node.create_service::<Segment::Service>("~/segment", profile)?.boxed();
    let action_streams = action_server::Streams::open(&mut node)?;
    let health = diagnostics::open(&mut node)?;
    let ends_of_bond = bond::open(&mut node)?;

    let jumps = Arc::new(tokio::sync::Notify::new());
    let jumped = jumps.clone();
    let (node_thread, ros) = NodeThread::start(node, move || jumped.notify_one())?;
    let core = Arc::new(Core::new(ros.clone(), logger.clone(), parameters, names));
    core.ros.use_sim_time(settings.sim_time).await?;
    let (life, mut tasks) = Lifecycle::serve(lifecycle_streams, core.clone(), ros.clone());
    let of_parameters = core.clone();
    let apply: parameter_server::Apply = Arc::new(move |changes| {
        let core = of_parameters.clone();
        async move { core.set_parameters(changes).await }.boxed()
    });
    tasks.extend(parameter_streams.serve(ros.clone(), core.parameters.clone(), apply));
    tasks.push(tokio::spawn(requests::serve_segment(core.clone(), ros.drained(calls))));
    let (goals, of_goals) = action_streams.serve(&ros);
    tasks.extend(of_goals);
    tasks.push(tokio::spawn(requests::serve_ground(core.clone(), goals)));
    tasks.push(tokio::spawn(diagnostics::publish(core.clone(), health)));
    let bond = ends_of_bond.map(|ends| tokio::spawn(bond::beat(core.clone(), ends)));
    let of_jumps = core.clone();
    tasks.push(tokio::spawn(async move {
        loop {
            jumps.notified().await;
            of_jumps.discard_frames().await;
        }
    }));

    let started = async {
        if !settings.autostart {
            logger.info("unconfigured; waits for lifecycle transitions (autostart is false)");
            return Ok(());
        }
        if life.ask(1, "configure").await && life.ask(3, "activate").await {
            Ok(())
        } else {
            Err(BoxError::from(logger.last_problem()))
        }
    };
    let started_for_good = async {
        started.await?;
        std::future::pending().await
    };
    let ended: Result<(), BoxError> = tokio::select! {
        failed = started_for_good => failed,
        _ = interrupt.recv() => Ok(()),
        _ = terminate.recv() => Ok(()),
    };
    if let Some(bond) = bond {
        bond.abort();
        let _ = bond.await; // it has published its last beat
    }
    // a thread that still spins while the process ends crashes it
    let stopped = tokio::task::spawn_blocking(move || node_thread.stop()).await?;
    tasks.into_iter().for_each(|task| task.abort());
    stopped?;
    if let Ok(mut running) = core.running.try_write() {
        if let Some(Running { worker, subscriptions, .. }) = running.take() {
            subscriptions.iter().for_each(JoinHandle::abort);
            if !worker.stop(PATIENCE) {
                // not dropped: that would wait for the frame at hand
                std::process::exit(0);
            }
        }
    }
    ended
}

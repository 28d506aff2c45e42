//! `Core`: the node between its ends: what the lifecycle's transitions build and take down, and what requests go through.

use super::journal::Journal;
use super::lifecycle::State;
use super::listening::{listen, SharedHeard, Topic};
use super::lock;
use super::names::{below, beside, Names};
use super::outputs::{CameraEnds, Measured, Outputs, Reply, SharedDepth, Shot};
use super::parameters::{NodeSettings, Parameters, Reliability};
use super::spinner::{Ros, WAITING};
use crate::depth::RecentDepth;
use crate::digest;
use crate::messages::decode::{self, Input};
use crate::messages::{CameraInfo, Image, Named, Text};
use crate::segmenter::{Fitter, Segmenter};
use crate::worker::Worker;
use futures::StreamExt;
use r2r::{ParameterValue, PublisherUntyped, QosProfile};
use std::error::Error;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::task::JoinHandle;

/// For the stage at hand when the node is cleaned up: a model on a slow machine, a large picture.
const CLEANUP_PATIENCE: Duration = Duration::from_secs(120);

/// Why something could not be done.
pub type Failed = Box<dyn Error + Send + Sync>;

/// A camera of a configured node.
pub struct Camera {
    /// Its name; empty for the one without.
    pub name: String,
    /// The full name of the topic that is listened to.
    pub topic: String,
    /// What is heard on it.
    pub heard: SharedHeard,
    /// What is heard on its depth topic, with the topic's name.
    pub depth_heard: Option<(String, SharedHeard)>,
    /// What came last of its depth.
    depth: Option<SharedDepth>,
    /// What is measured of its answers.
    pub measured: Arc<Mutex<Measured>>,
}

/// A configured node: model loaded, publishers open.
pub struct Running {
    /// The inference thread.
    pub worker: Arc<Worker<Shot, Reply>>,
    fitter: Fitter,
    /// The cameras, in the order of the parameter.
    pub cameras: Vec<Camera>,
    publishers: Mutex<Vec<PublisherUntyped>>,
    /// What listens while the node is active.
    pub listeners: Vec<JoinHandle<()>>,
    /// The model's folder.
    pub model: String,
    /// SHA-256 of the model's weights, once it is computed.
    pub model_hash: Arc<Mutex<String>>,
    /// The device that computes.
    pub device: String,
    /// Whether vision_msgs were there when this program was built.
    pub detects: bool,
}

/// What all parts of the node share.
pub struct Core {
    /// The way to the ROS thread.
    pub ros: Ros,
    /// The log.
    pub journal: Journal,
    /// The parameters in force.
    pub parameters: Arc<Mutex<Parameters>>,
    names: Mutex<Names>,
    state: Mutex<State>,
    /// Held while parameters change or are read to be put in force, so that none falls between.
    setting: tokio::sync::Mutex<()>,
    /// Present between configure and cleanup.
    pub running: tokio::sync::RwLock<Option<Running>>,
}

impl Core {
    /// A node without a model.
    pub fn new(ros: Ros, journal: Journal, parameters: Parameters, names: Names) -> Core {
        Core {
            ros,
            journal,
            parameters: Arc::new(Mutex::new(parameters)),
            names: Mutex::new(names),
            state: Mutex::new(State::Unconfigured),
            setting: tokio::sync::Mutex::default(),
            running: tokio::sync::RwLock::new(None),
        }
    }

    /// The lifecycle's state.
    pub fn state(&self) -> State {
        *lock(&self.state)
    }

    /// Sets the lifecycle's state; for the lifecycle alone.
    pub fn set_state(&self, state: State) {
        *lock(&self.state) = state;
    }

    fn settings(&self) -> NodeSettings {
        lock(&self.parameters).node().clone()
    }

    fn resolved(&self, topic: &str) -> Result<String, Failed> {
        Ok(lock(&self.names).topic(topic)?)
    }

    /// The worker and the index of a camera by its name; the first one without.
    ///
    /// # Errors
    /// In words, when the node is not active or has no such camera.
    pub async fn worker_for(&self, camera: &str) -> Result<(Arc<Worker<Shot, Reply>>, usize), String> {
        let running = self.running.read().await;
        let state = self.state();
        let running = running
            .as_ref()
            .filter(|_| state == State::Active)
            .ok_or_else(|| format!("the node is {}; activate it first", state.label()))?;
        let found = if camera.is_empty() { Some(0) } else { running.cameras.iter().position(|c| c.name == camera) };
        let at = found.ok_or_else(|| {
            let names: Vec<_> = running.cameras.iter().map(|camera| format!("{:?}", camera.name)).collect();
            format!("no camera {camera:?}; there is {}", names.join(", "))
        })?;
        Ok((running.worker.clone(), at))
    }

    /// The image topic of a camera, for messages.
    pub async fn image_topic(&self, camera: usize) -> String {
        let running = self.running.read().await;
        let found = running.as_ref().and_then(|running| running.cameras.get(camera));
        found.map_or_else(String::new, |camera| camera.topic.clone())
    }

    /// Loads the model, opens the publishers, starts the inference thread.
    ///
    /// # Errors
    /// When a file, the device or ROS refuses.
    pub async fn configure(&self) -> Result<(), Failed> {
        let _none_changes = self.setting.lock().await;
        let (config, settings) = {
            let parameters = lock(&self.parameters);
            (parameters.config().clone(), parameters.node().clone())
        };
        let began = Instant::now();
        let segmenter = tokio::task::spawn_blocking(move || Segmenter::open(config)).await??;
        let (model, device) = (segmenter.config().model.display().to_string(), segmenter.device_name());
        let (fitter, weights) = (segmenter.fitter(), segmenter.weights_file().to_path_buf());
        let cameras =
            settings.cameras.iter().map(|name| self.camera(name, &settings)).collect::<Result<Vec<_>, _>>()?;
        let ends = cameras.iter().map(|camera| CameraEnds {
            name: camera.name.clone(),
            depth: camera.depth.clone(),
            measured: camera.measured.clone(),
        });
        let ends: Vec<_> = ends.collect();
        let (ros, journal, parameters) = (self.ros.clone(), self.journal.clone(), self.parameters.clone());
        let outputs = self.ros.with(move |node| Outputs::open(node, ends, ros, journal, parameters)).await??;
        let (publishers, detects) = (Mutex::new(outputs.publishers()), outputs.detects());
        let worker = Arc::new(Worker::start(segmenter, settings.mode, cameras.len(), outputs)?);
        let model_hash = Arc::new(Mutex::new(String::new()));
        let hash = model_hash.clone();
        tokio::task::spawn_blocking(move || {
            if let Ok(sum) = digest::of_file(&weights) {
                *lock(&hash) = sum;
            }
        });
        let seconds = began.elapsed().as_secs_f32();
        self.journal.info(&format!("configured: model {model} on {device}, loaded in {seconds:.1} s"));
        let listeners = Vec::new();
        *self.running.write().await =
            Some(Running { worker, fitter, cameras, publishers, listeners, model, model_hash, device, detects });
        Ok(())
    }

    fn camera(&self, name: &str, settings: &NodeSettings) -> Result<Camera, Failed> {
        let image = self.resolved(&below(name, "image"))?;
        let depth = settings.depth.then(|| self.resolved(&below(name, "depth"))).transpose()?;
        Ok(Camera {
            name: name.into(),
            topic: settings.transport.topic(&image),
            heard: SharedHeard::default(),
            depth: depth.as_ref().map(|_| Arc::new((Mutex::new(RecentDepth::default()), Condvar::new()))),
            depth_heard: depth.map(|topic| (topic, SharedHeard::default())),
            measured: Arc::default(),
        })
    }

    /// Starts to listen.
    ///
    /// # Errors
    /// When ROS refuses.
    pub async fn activate(&self) -> Result<(), Failed> {
        let settings = self.settings();
        let mut running = self.running.write().await;
        let running = running.as_mut().ok_or("not configured")?;
        let mut listeners = Vec::new();
        for (index, camera) in running.cameras.iter().enumerate() {
            let (worker, journal, transport) = (running.worker.clone(), self.journal.clone(), settings.transport);
            let name = camera.topic.clone();
            let topic = Topic { name: name.clone(), kind: transport.message_type(), reliability: settings.reliability };
            let take = move |cdr| match Input::new(transport, cdr) {
                Ok(input) => worker.offer_frame(index, Shot::new(input)),
                Err(error) => journal.seldom("input", &format!("{name}: {error}")),
            };
            let (ros, journal) = (self.ros.clone(), self.journal.clone());
            listeners.push(tokio::spawn(listen(ros, topic, camera.heard.clone(), journal, take)));
            if let (Some(depth), Some((topic, heard))) = (&camera.depth, &camera.depth_heard) {
                listeners.extend(self.listen_to_depth(depth, topic, heard));
            }
        }
        let named = settings.cameras.iter().enumerate().filter(|(_, name)| !name.is_empty());
        let own = named.map(|(index, name)| (below(name, "command"), Some(index)));
        let commands: Vec<_> = std::iter::once(("command".to_string(), None)).chain(own).collect();
        for (topic, camera) in commands {
            let profile = QosProfile::default().reliable().keep_last(WAITING);
            let stream =
                self.ros.with(move |node| node.subscribe_raw(&topic, Text::TYPE, profile).map(StreamExt::boxed));
            let mut stream = match stream.await.map_err(Failed::from).and_then(|opened| Ok(opened?)) {
                Ok(stream) => self.ros.emptied(stream),
                Err(error) => {
                    listeners.iter().for_each(JoinHandle::abort);
                    return Err(error);
                }
            };
            let (worker, journal) = (running.worker.clone(), self.journal.clone());
            listeners.push(tokio::spawn(async move {
                while let Some(cdr) = stream.next().await {
                    if let Err(error) = worker.command(camera, decode::text(&cdr)) {
                        journal.seldom("command", &error.to_string());
                    }
                }
            }));
        }
        running.listeners = listeners;
        let topics: Vec<_> = running.cameras.iter().map(|camera| camera.topic.as_str()).collect();
        self.journal.info(&format!("active on {}", topics.join(", ")));
        Ok(())
    }

    fn listen_to_depth(&self, depth: &SharedDepth, topic: &str, heard: &SharedHeard) -> [JoinHandle<()>; 2] {
        let journal = self.journal.clone();
        let images = depth.clone();
        let take_image = move |cdr| {
            if let Err(error) = lock(&images.0).offer_image(cdr) {
                journal.seldom("depth", &error.to_string());
            }
            images.1.notify_all();
        };
        let (infos, journal) = (depth.clone(), self.journal.clone());
        let take_info = move |cdr: Vec<u8>| {
            if let Err(error) = lock(&infos.0).offer_info(&cdr) {
                journal.seldom("camera_info", &error.to_string());
            }
            infos.1.notify_all();
        };
        let of = |name: String, kind| Topic { name, kind, reliability: Reliability::Auto };
        let (image, info) = (of(topic.into(), Image::TYPE), of(beside(topic, "camera_info"), CameraInfo::TYPE));
        [
            tokio::spawn(listen(self.ros.clone(), image, heard.clone(), self.journal.clone(), take_image)),
            tokio::spawn(listen(self.ros.clone(), info, SharedHeard::default(), self.journal.clone(), take_info)),
        ]
    }

    /// Stops to listen; what waits for an answer is let go.
    ///
    /// # Errors
    /// None yet.
    pub async fn deactivate(&self) -> Result<(), Failed> {
        if let Some(running) = self.running.write().await.as_mut() {
            running.listeners.drain(..).for_each(|listener| listener.abort());
            running.worker.clear();
        }
        Ok(())
    }

    /// Ends the inference thread and frees the model.
    ///
    /// # Errors
    /// When the thread does not end.
    pub async fn cleanup(&self) -> Result<(), Failed> {
        let Some(running) = self.running.write().await.take() else { return Ok(()) };
        let Running { worker, publishers, fitter, .. } = running;
        drop(fitter);
        let stopped = tokio::task::spawn_blocking(move || worker.stop(CLEANUP_PATIENCE)).await?;
        let publishers = publishers.into_inner().unwrap_or_else(PoisonError::into_inner);
        self.ros.with(move |node| publishers.into_iter().for_each(|p| node.destroy_publisher_untyped(p))).await?;
        if !stopped {
            return Err(format!("the inference thread is still at work after {} s", CLEANUP_PATIENCE.as_secs()).into());
        }
        Ok(())
    }

    /// Puts changed parameters in force, all or none.
    ///
    /// # Errors
    /// In words, when one of them is refused.
    pub async fn set_parameters(&self, changes: Vec<(String, ParameterValue)>) -> Result<(), String> {
        let _one_at_a_time = self.setting.lock().await;
        let running = self.running.read().await;
        let before = lock(&self.parameters).clone();
        let now = before.with(&changes, running.is_some()).map_err(|error| error.to_string())?;
        if let Some(running) = running.as_ref() {
            if before.config() != now.config() {
                let (fitter, old, new) = (running.fitter.clone(), before.config().clone(), now.config().clone());
                let prepared = tokio::task::spawn_blocking(move || fitter.prepare(&old, new)).await;
                let change = prepared.map_err(|error| error.to_string())?.map_err(|error| error.to_string())?;
                running.worker.change(change);
            }
            running.worker.set_mode(now.node().mode);
        }
        self.use_sim_time(now.node().sim_time).await?;
        *lock(&self.parameters) = now;
        Ok(())
    }

    /// Takes the time from `/clock` or from the system.
    ///
    /// # Errors
    /// When ROS refuses.
    pub async fn use_sim_time(&self, wanted: bool) -> Result<(), String> {
        let switched = self.ros.with(move |node| {
            let source = node.get_time_source();
            if wanted {
                source.enable_sim_time(node)
            } else {
                source.disable_sim_time();
                Ok(())
            }
        });
        switched.await?.map_err(|error| error.to_string())
    }

    /// Time went backwards: what was seen is of another time.
    pub async fn forget_what_was_seen(&self) {
        if let Some(running) = self.running.read().await.as_ref() {
            running.worker.forget_frames();
            for depth in running.cameras.iter().filter_map(|camera| camera.depth.as_ref()) {
                lock(&depth.0).forget();
            }
        }
        self.journal.info("time went backwards: earlier frames are forgotten");
    }
}

//! `Core`: what all parts of the node share: what the lifecycle's transitions build and take down, and what requests go
//! through.

use super::camera::{Camera, Subscriber};
use super::camera_frame::{CameraFrame, CameraFrames};
use super::command_subscription::{CommandSubscription, LastCommand};
use super::lifecycle_state::State;
use super::lock::lock;
use super::logger::Logger;
use super::names::{child_topic, Names};
use super::node_thread::Ros;
use super::outputs::{CameraEndpoints, Outputs, Reply};
use super::parameters::{NodeSettings, Parameters, Reliability};
use super::subscription::{SharedStats, Topic};
use super::track_outputs::TrackOutputs;
use super::transforms::SharedTransforms;
use crate::files::fingerprint::FileDigest;
use crate::grounding::{ConfigPreparer, Segmenter};
use crate::recordings::{text, Detection2DArray, Image, MessageType, Transport};
use crate::runtime::Worker;
use r2r::{ParameterValue, PublisherUntyped};
use std::collections::HashMap;
use std::error::Error;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::task::JoinHandle;

/// How long the stage at hand may take when the node is cleaned up: a model on a slow machine, a large image.
const CLEANUP_PATIENCE: Duration = Duration::from_secs(120);

/// Why something could not be done.
pub type BoxError = Box<dyn Error + Send + Sync>;

/// A configured node: model loaded, publishers open.
pub struct Running {
    /// The inference thread.
    pub worker: Arc<Worker<CameraFrame, Reply>>,
    preparer: ConfigPreparer,
    /// The cameras, in the order of the parameter.
    pub cameras: Vec<Camera>,
    publishers: Mutex<Vec<PublisherUntyped>>,
    /// The subscriptions while the node is active.
    pub subscriptions: Vec<JoinHandle<()>>,
    /// The model's folder.
    pub model: String,
    /// SHA-256 of the model's weights.
    pub model_digest: FileDigest,
    /// The device that computes.
    pub device: String,
    /// The type that the model computes in.
    pub dtype: &'static str,
    /// Whether vision_msgs were there when this program was built.
    pub detects: bool,
}

/// What all parts of the node share.
pub struct Core {
    /// The way to the ROS thread.
    pub ros: Ros,
    /// The log.
    pub logger: Logger,
    /// The parameters in effect.
    pub parameters: Arc<Mutex<Parameters>>,
    names: Mutex<Names>,
    state: Mutex<State>,
    /// Held while parameters change or are read to be applied, so that none falls between.
    setting: tokio::sync::Mutex<()>,
    transforms: Arc<SharedTransforms>,
    /// By topic, what was taken last.
    last_commands: Mutex<HashMap<String, LastCommand>>,
    /// Present between configure and cleanup.
    pub running: tokio::sync::RwLock<Option<Running>>,
}

impl Core {
    /// A node without a model.
    pub fn new(ros: Ros, logger: Logger, parameters: Parameters, names: Names) -> Core {
        Core {
            ros,
            logger,
            parameters: Arc::new(Mutex::new(parameters)),
            names: Mutex::new(names),
            state: Mutex::new(State::Unconfigured),
            setting: tokio::sync::Mutex::default(),
            transforms: Arc::default(),
            last_commands: Mutex::default(),
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

    fn resolved(&self, topic: &str) -> Result<String, BoxError> {
        let names = lock(&self.names);
        let full = names.topic(topic)?;
        if names.topic(&full)? != full {
            self.ros.keep_name_before_remapping(&full, topic);
        }
        Ok(full)
    }

    /// The worker and the index of a camera by its name; the first one without.
    ///
    /// # Errors
    /// In words, when the node is not active or has no such camera.
    pub async fn worker_for(&self, camera: &str) -> Result<(Arc<Worker<CameraFrame, Reply>>, usize), String> {
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
    pub async fn configure(&self) -> Result<(), BoxError> {
        let _none_changes = self.setting.lock().await;
        let began = Instant::now();
        // files are read now and not again until the next configure
        let known = lock(&self.parameters).clone();
        let parameters = tokio::task::spawn_blocking(move || known.read_again()).await??;
        let (config, settings) = (parameters.config().clone(), parameters.node().clone());
        *lock(&self.parameters) = parameters;
        let segmenter = tokio::task::spawn_blocking(move || Segmenter::open(config)).await??;
        let (model, device) = (segmenter.config().model.display().to_string(), segmenter.device_name());
        let dtype = segmenter.dtype_name();
        let (preparer, model_digest) = (segmenter.preparer(), segmenter.weights_digest().clone());
        let cameras =
            settings.cameras.iter().map(|name| self.camera(name, &settings)).collect::<Result<Vec<_>, _>>()?;
        let ends = cameras.iter().map(|camera| CameraEndpoints {
            name: camera.name.clone(),
            depth: camera.depth.is_some(),
            stats: camera.stats.clone(),
        });
        let ends: Vec<_> = ends.collect();
        let depths = cameras.iter().map(|camera| camera.depth.clone()).collect();
        let (transforms, logger) = (self.transforms.clone(), self.logger.clone());
        let inputs =
            CameraFrames { depths, parameters: self.parameters.clone(), transforms, ros: self.ros.clone(), logger };
        let captions = settings.captions;
        let (ros, logger, reader) = (self.ros.clone(), self.logger.clone(), inputs.clone());
        let opened = self.ros.call(move |node| {
            let tracks = TrackOutputs::open(node, &ends, captions, logger.clone(), inputs.clone())?;
            Ok::<_, BoxError>((Outputs::open(node, ends, captions, ros, logger, inputs)?, tracks))
        });
        let (outputs, tracks) = opened.await??;
        let mut publishers = outputs.publishers();
        publishers.extend(tracks.publishers());
        let (publishers, detects) = (Mutex::new(publishers), outputs.detects());
        let (mode, tracks) = (settings.mode, Some(Arc::new(tracks) as _));
        let worker = Arc::new(Worker::start(segmenter, mode, cameras.len(), reader, outputs, tracks)?);
        worker.set_tracking(settings.tracking);
        worker.set_dialogue(settings.dialogue);
        worker.set_active(false);
        let seconds = began.elapsed().as_secs_f32();
        self.logger.info(&format!("configured: model {model} on {device} in {dtype}, loaded in {seconds:.1} s"));
        let subscriptions = Vec::new();
        let running = Running {
            worker,
            preparer,
            cameras,
            publishers,
            subscriptions,
            model,
            model_digest,
            device,
            dtype,
            detects,
        };
        *self.running.write().await = Some(running);
        Ok(())
    }

    fn camera(&self, name: &str, settings: &NodeSettings) -> Result<Camera, BoxError> {
        let image = self.resolved(&child_topic(name, "image"))?;
        let depth = settings.depth.then(|| self.resolved(&child_topic(name, "depth"))).transpose()?;
        // remapped to .../compressed, or what image_transport calls so below the image
        let is_compressed = image.ends_with("/compressed");
        let transport = if is_compressed { Transport::Compressed } else { settings.transport };
        let topic = if is_compressed { image } else { transport.topic(&image) };
        Ok(Camera::new(name, topic, transport, depth))
    }

    fn subscriber(&self, worker: &Arc<Worker<CameraFrame, Reply>>) -> Subscriber {
        Subscriber {
            ros: self.ros.clone(),
            logger: self.logger.clone(),
            parameters: self.parameters.clone(),
            worker: worker.clone(),
        }
    }

    /// The topics on which a camera's proposals come, unless this program finds them itself.
    fn proposal_topics(&self, name: &str, detects: bool) -> Result<Vec<(Topic, SharedStats)>, BoxError> {
        if lock(&self.parameters).config().proposals_follow_from_frames() {
            return Ok(Vec::new());
        }
        let boxes = detects.then_some(("proposal_boxes", Detection2DArray::TYPE));
        let topics = std::iter::once(("proposals", Image::TYPE)).chain(boxes);
        let topic = |(last, kind)| {
            let name = self.resolved(&child_topic(name, last))?;
            Ok((Topic { name, kind, reliability: Reliability::Auto }, SharedStats::default()))
        };
        topics.map(topic).collect()
    }

    /// Subscribes to images and commands, and lets the worker answer.
    ///
    /// # Errors
    /// When ROS refuses.
    pub async fn activate(&self) -> Result<(), BoxError> {
        let settings = self.settings();
        let mut running = self.running.write().await;
        let running = running.as_mut().ok_or("not configured")?;
        let mut subscriptions = Vec::new();
        let detects = running.detects;
        if !settings.target_frame.is_empty() || !settings.reference_frame.is_empty() {
            subscriptions.push(self.transforms.subscribe(&self.ros, &self.logger).await?);
        }
        for (index, camera) in running.cameras.iter_mut().enumerate() {
            camera.forget_waiting();
            camera.proposal_topics = self.proposal_topics(&camera.name, detects)?;
            subscriptions.extend(camera.subscribe(index, &settings, &self.subscriber(&running.worker)));
        }
        let named = settings.cameras.iter().enumerate().filter(|(_, name)| !name.is_empty());
        let own = named.map(|(index, name)| (child_topic(name, "command"), Some(index)));
        let commands: Vec<_> = std::iter::once(("command".to_string(), None)).chain(own).collect();
        for (topic, camera) in commands {
            let (ros, logger) = (self.ros.clone(), self.logger.clone());
            let opened = match self.resolved(&topic) {
                Ok(topic) => {
                    let last = lock(&self.last_commands).entry(topic.clone()).or_default().clone();
                    CommandSubscription::open(ros, topic, last, logger).await.map_err(BoxError::from)
                }
                Err(error) => Err(error),
            };
            let subscription = match opened {
                Ok(subscription) => subscription,
                Err(error) => {
                    subscriptions.iter().for_each(JoinHandle::abort);
                    return Err(error);
                }
            };
            let worker = running.worker.clone();
            let take = move |cdr: Vec<u8>| {
                worker.command(camera, text(&cdr));
            };
            subscriptions.push(tokio::spawn(subscription.receive(take)));
        }
        running.subscriptions = subscriptions;
        running.worker.set_active(true);
        let topics: Vec<_> = running.cameras.iter().map(|camera| camera.topic.as_str()).collect();
        self.logger.info(&format!("active on {}", topics.join(", ")));
        Ok(())
    }

    /// Endpoints the subscriptions and drops pending requests; what is being worked on reaches nobody.
    ///
    /// # Errors
    /// None yet.
    pub async fn deactivate(&self) -> Result<(), BoxError> {
        if let Some(running) = self.running.write().await.as_mut() {
            running.subscriptions.drain(..).for_each(|subscription| subscription.abort());
            running.cameras.iter().for_each(Camera::forget_waiting);
            running.worker.set_active(false);
        }
        Ok(())
    }

    /// Endpoints the inference thread and frees the model.
    ///
    /// # Errors
    /// When the thread does not end.
    pub async fn cleanup(&self) -> Result<(), BoxError> {
        let Some(running) = self.running.write().await.take() else { return Ok(()) };
        let Running { worker, publishers, preparer, .. } = running;
        drop(preparer);
        let stopped = tokio::task::spawn_blocking(move || worker.stop(CLEANUP_PATIENCE)).await?;
        let publishers = publishers.into_inner().unwrap_or_else(PoisonError::into_inner);
        self.ros.call(move |node| publishers.into_iter().for_each(|p| node.destroy_publisher_untyped(p))).await?;
        return_freed_memory();
        if !stopped {
            return Err(format!("the inference thread has not stopped after {} s", CLEANUP_PATIENCE.as_secs()).into());
        }
        Ok(())
    }

    /// Applies changed parameters, all or none.
    ///
    /// # Errors
    /// In words, when one of them is refused.
    pub async fn set_parameters(&self, changes: Vec<(String, ParameterValue)>) -> Result<(), String> {
        let _one_at_a_time = self.setting.lock().await;
        // not held while weights are loaded, or one transition would stall services and diagnostics
        let running = self.running.read().await.as_ref().map(|r| (r.worker.clone(), r.preparer.clone()));
        let loaded = running.is_some();
        let before = lock(&self.parameters).clone();
        let known = before.clone();
        let now = tokio::task::spawn_blocking(move || known.with(&changes, loaded)).await;
        let now = now.map_err(|error| error.to_string())?.map_err(|error| error.to_string())?;
        let follow = |parameters: &Parameters| parameters.config().proposals_follow_from_frames();
        if self.state() == State::Active && follow(&before) != follow(&now) {
            return Err(
                "proposals topic is subscribed to by activate: deactivate the node, set it, activate again".into()
            );
        }
        if let Some((worker, preparer)) = running {
            if before.config() != now.config() {
                let (old, new) = (before.config().clone(), now.config().clone());
                let prepared = tokio::task::spawn_blocking(move || preparer.prepare(&old, new)).await;
                let prepared = prepared.map_err(|error| error.to_string())?.map_err(|error| error.to_string())?;
                let (done, applied) = tokio::sync::oneshot::channel();
                worker.change(prepared, move |result| {
                    let _ = done.send(result); // whoever set it may have gone
                });
                let applied = applied.await.map_err(|_| "the node is being cleaned up; set it again afterwards")?;
                applied.map_err(|error| error.to_string())?;
            }
            worker.set_mode(now.node().mode);
            worker.set_tracking(now.node().tracking);
            worker.set_dialogue(now.node().dialogue);
        }
        if before.node().sim_time != now.node().sim_time {
            self.ros.use_sim_time(now.node().sim_time).await?;
        }
        *lock(&self.parameters) = now;
        Ok(())
    }

    /// Time went backwards: cached frames and depth images are of another time.
    pub async fn discard_frames(&self) {
        if let Some(running) = self.running.read().await.as_ref() {
            running.worker.forget_frames();
            self.transforms.forget_motion();
            running.cameras.iter().for_each(Camera::forget_waiting);
            running.cameras.iter().for_each(Camera::forget_depth);
        }
        self.logger.info("time went backwards: cached frames are discarded");
    }
}

/// Gives memory that was freed back to the system: the allocator waits with it otherwise, weights of hundreds of megabytes too.
fn return_freed_memory() {
    // SAFETY: mi_collect has no preconditions and may be called from any thread
    unsafe { libmimalloc_sys::mi_collect(true) }
}

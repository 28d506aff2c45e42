//! `PictureOutputs`: mask, label mask, confidence and overlays of answers, made and published on a thread of their own, so
//! that no answer waits for a picture.

use super::logger::Logger;
use super::output_publishers::OutputPublishers;
use crate::answer::{Answer, CommandInfo, FrameResult, Origin};
use crate::drawing::Captions;
use crate::image::Frame;
use crate::recordings::{Header, Output, ResultMessages};
use crate::runtime::guarded;
use crate::{Error, Result};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{sync_channel, SyncSender};
use std::sync::Arc;
use std::thread::JoinHandle;

/// Answers that may wait for their pictures; more are left without. Enough for a burst of requests on one frame.
const WAITING: usize = 16;
/// Bytes of pixels in which they wait: at 1080p ten frames.
const MOST_BYTES: usize = 64 << 20;

/// Pictures of a topic that Fast DDS keeps for a reliable subscriber that is slow or stuck: the newest wins, as with frames.
pub const PICTURES: usize = 1;

/// An answer whose pictures are to be made.
struct Picture {
    header: Header,
    camera: usize,
    command: CommandInfo,
    frame: Frame,
    answer: Answer,
}

/// The thread and what waits for it; dropping it waits until those are published.
pub struct PictureOutputs {
    queue: Option<SyncSender<Picture>>,
    /// Bytes of the pixels that wait.
    held: Arc<AtomicUsize>,
    thread: Option<JoinHandle<()>>,
    publishers: Vec<OutputPublishers>,
    captions: Captions,
    logger: Logger,
}

impl PictureOutputs {
    /// Starts the thread for these cameras.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(publishers: Vec<OutputPublishers>, captions: Captions, logger: Logger) -> Result<PictureOutputs> {
        let (queue, waiting) = sync_channel::<Picture>(WAITING);
        let (of_thread, log, held) = (publishers.clone(), logger.clone(), Arc::new(AtomicUsize::new(0)));
        let waiting_bytes = held.clone();
        let thread = std::thread::Builder::new().name("pictures".into()).spawn(move || {
            for picture in waiting {
                let Picture { header, camera, command, frame, answer } = &picture;
                let result = FrameResult {
                    camera: *camera,
                    command,
                    frame: Some(frame),
                    is_static: false,
                    tracks: &[],
                    following: None,
                    answer: Ok(answer),
                };
                let published = guarded(|| {
                    publish(&of_thread[*camera], header, &result, captions, &log);
                    Ok(())
                });
                if let Err(error) = published {
                    log.warn_throttled("pictures", &format!("command {}: its pictures: {error}", command.number));
                }
                waiting_bytes.fetch_sub(frame.rgb().len(), Ordering::Relaxed);
            }
        });
        let thread = thread.map_err(Error::file("thread of pictures"))?;
        Ok(PictureOutputs { queue: Some(queue), held, thread: Some(thread), publishers, captions, logger })
    }

    /// Takes a result whose pictures somebody subscribes to; the pixels are shared, not copied.
    pub fn offer(&self, header: &Header, result: &FrameResult) {
        let publishers = &self.publishers[result.camera];
        let is_wanted = publishers.are_subscribed(|output| is_for(output, result));
        let Some(frame) = result.frame.filter(|_| is_wanted) else { return };
        let Ok(answer) = result.answer else {
            // rare, and its error can't be kept
            publish(publishers, header, result, self.captions, &self.logger);
            return;
        };
        let picture = Picture {
            header: header.clone(),
            camera: result.camera,
            command: result.command.clone(),
            frame: frame.clone(),
            answer: answer.clone(),
        };
        let bytes = frame.rgb().len();
        let before = self.held.fetch_add(bytes, Ordering::Relaxed);
        let has_room = before == 0 || before + bytes <= MOST_BYTES;
        let is_sent = has_room && self.queue.as_ref().is_some_and(|queue| queue.try_send(picture).is_ok());
        if !is_sent {
            self.held.fetch_sub(bytes, Ordering::Relaxed);
            let fact = "answers come faster than their pictures can be drawn and published, and some wait already; this one's are left \
                        out. Ask less often, or unsubscribe from overlays";
            self.logger.warn_throttled("pictures", fact);
        }
    }
}

impl Drop for PictureOutputs {
    fn drop(&mut self) {
        self.queue = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Whether an output is published for a result: a mask alone can't say which request it answers, an overlay can.
fn is_for(output: Output, result: &FrameResult) -> bool {
    let is_overlay = matches!(output, Output::Overlay | Output::OverlayCompressed);
    is_overlay || result.command.origin == Origin::Topic
}

fn publish(publishers: &OutputPublishers, header: &Header, result: &FrameResult, captions: Captions, logger: &Logger) {
    // pictures do not name their camera
    let messages = ResultMessages::new(header, "", result).with_captions(captions);
    publishers.publish(&messages, |output| is_for(output, result), logger);
}

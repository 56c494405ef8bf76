//! Runs engine work away from the interpreter: the work on a thread of its own, this thread awake for Ctrl-C and progress.

use std::panic::AssertUnwindSafe;
use std::panic::catch_unwind;
use std::panic::resume_unwind;
use std::sync::mpsc;
use std::sync::mpsc::RecvTimeoutError;
use std::thread;
use std::time::Duration;

use pyo3::prelude::*;

use crate::Error;
use crate::Monitor;
use crate::py::error::internal;
use crate::py::error::to_python;

/// How often signals are looked at: a quarter of the 0.2 s within which Ctrl-C is answered.
const LOOK: Duration = Duration::from_millis(50);

/// Runs short `work` without the interpreter, on this thread; a panic becomes `InternalError`.
pub(super) fn guard<T: Send>(py: Python<'_>, work: impl FnOnce() -> T + Send) -> PyResult<T> {
    py.detach(|| catch_unwind(AssertUnwindSafe(work))).map_err(|payload| internal(py, &*payload))
}

/// Runs `work` without the interpreter. `is_tiny` work runs on this thread; other work on its own, while this thread
/// handles signals and calls `progress(done, total)`.
pub(super) fn run<T: Send>(
    py: Python<'_>,
    is_tiny: bool,
    progress: Option<&Bound<'_, PyAny>>,
    work: impl FnOnce(&Monitor) -> Result<T, Error> + Send,
) -> PyResult<T> {
    let monitor = Monitor::default();
    let guarded = |monitor: &Monitor| catch_unwind(AssertUnwindSafe(|| work(monitor)));
    let outcome = if is_tiny && progress.is_none() {
        py.detach(|| guarded(&monitor))
    } else {
        let callback = progress.map(|callback| callback.clone().unbind());
        py.detach(|| wait(&monitor, callback.as_ref(), guarded))?
    };
    match outcome {
        Ok(result) => result.map_err(|error| to_python(py, &error, None)),
        Err(payload) => Err(internal(py, &*payload)),
    }
}

type Outcome<T> = Result<Result<T, Error>, Box<dyn std::any::Any + Send>>;

/// Waits for the work; an exception on the way (Ctrl-C, or from the callback) cancels it and is passed on.
fn wait<T: Send>(
    monitor: &Monitor,
    callback: Option<&Py<PyAny>>,
    guarded: impl FnOnce(&Monitor) -> Outcome<T> + Send,
) -> PyResult<Outcome<T>> {
    thread::scope(|scope| {
        let (sender, receiver) = mpsc::channel();
        let worker = scope.spawn(move || {
            let outcome = guarded(monitor);
            // The receiver may have gone: it was interrupted.
            let _ = sender.send(());
            outcome
        });
        let mut interruption = None;
        loop {
            match receiver.recv_timeout(LOOK) {
                Ok(()) | Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) if interruption.is_none() => {
                    if let Err(error) = Python::attach(|py| look(py, monitor, callback)) {
                        monitor.cancel();
                        interruption = Some(error);
                    }
                }
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
        let outcome = match worker.join() {
            Ok(outcome) => outcome,
            Err(payload) => resume_unwind(payload),
        };
        if let Some(error) = interruption {
            return Err(error);
        }
        if outcome.as_ref().is_ok_and(Result::is_ok) {
            Python::attach(|py| report(py, monitor, callback))?;
        }
        Ok(outcome)
    })
}

fn look(py: Python<'_>, monitor: &Monitor, callback: Option<&Py<PyAny>>) -> PyResult<()> {
    py.check_signals()?;
    report(py, monitor, callback)
}

fn report(py: Python<'_>, monitor: &Monitor, callback: Option<&Py<PyAny>>) -> PyResult<()> {
    if let Some(callback) = callback {
        let (done, total) = monitor.progress();
        callback.call1(py, (done, total))?;
    }
    Ok(())
}

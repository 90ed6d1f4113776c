//! How many requests one host has to bear at a time, and when it is left alone.
//!
//! Starts low, grows with every answer while the window is full (threefold each round trip until the first trouble, then by one)
//! and the host is not near, halves when the host says that it is too much, waits when it says so.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::{Instant, sleep_until};

use super::error::failure;
use super::options::Manners;
use crate::model::{Cause, UnknownAnswer};

/// What one answer adds to a window that was never too large: a scan of a hundred images far away is over in a few round trips.
const FAST_GROWTH: usize = 2;
/// A host that once answered sooner is near: more at a time would cost connections and win nothing.
const NEAR: Duration = Duration::from_millis(5);

/// In which way requests fail in a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trouble {
    /// No answer in time.
    Silent,
    /// 429, also after waiting.
    RateLimited,
    /// 502, 503 or 504, also after waiting.
    Unavailable,
}

impl Trouble {
    fn failure(self, host: &str, times: u32) -> UnknownAnswer {
        match self {
            Self::Silent => {
                failure(Cause::Timeout, format!("{host} gave no answer to {times} requests in a row and is not asked again for a while"))
            }
            Self::RateLimited => failure(
                Cause::RateLimited,
                format!(
                    "{host} limits the rate of requests; {times} in a row were refused also after waiting, it is not asked again for a while"
                ),
            ),
            Self::Unavailable => failure(
                Cause::ServerError,
                format!("{host} was unavailable for {times} requests in a row, also after waiting, and is not asked again for a while"),
            ),
        }
    }
}

/// The window of one host.
pub(super) struct Window {
    manners: Manners,
    turns: Semaphore,
    state: Mutex<State>,
}

struct State {
    size: usize,
    /// Below it the window grows with every answer, above by one each round.
    threshold: usize,
    answers_at_size: usize,
    /// Turns to take away as they come back, because the window shrank while they were out.
    surplus: usize,
    shrunk: Option<Instant>,
    paused_until: Option<Instant>,
    /// The least time that an answer took: how far away the host is, whatever queues on the way.
    least: Duration,
    trouble: Option<(Trouble, u32)>,
    left_alone_until: Option<Instant>,
}

/// One's turn at a host; ends when dropped.
pub(super) struct Turn<'a> {
    window: &'a Window,
    permit: Option<SemaphorePermit<'a>>,
    since: Instant,
}

impl Window {
    pub(super) fn new(manners: Manners) -> Self {
        let size = manners.window_start.max(1);
        let state = State {
            size,
            threshold: manners.window_most,
            answers_at_size: 0,
            surplus: 0,
            shrunk: None,
            paused_until: None,
            least: Duration::MAX,
            trouble: None,
            left_alone_until: None,
        };
        Self { manners, turns: Semaphore::new(size), state: Mutex::new(state) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many may be in flight now.
    pub(super) fn size(&self) -> usize {
        self.state().size
    }

    /// Waits for one's turn.
    ///
    /// # Errors
    /// When the host is left alone for now, or wants a longer wait than one is ready for.
    pub(super) async fn enter(&self, host: &str) -> Result<Turn<'_>, UnknownAnswer> {
        self.may_ask(host)?;
        // The semaphore is never closed; should it be, going without a permit is no harm.
        let permit = self.turns.acquire().await.ok();
        loop {
            match self.may_ask(host)? {
                None => return Ok(Turn { window: self, permit, since: Instant::now() }),
                Some(until) => sleep_until(until).await,
            }
        }
    }

    /// Until when to wait, if at all.
    fn may_ask(&self, host: &str) -> Result<Option<Instant>, UnknownAnswer> {
        let now = Instant::now();
        let mut state = self.state();
        if state.left_alone_until.is_some_and(|until| until <= now) {
            // One more failure closes it again, one answer opens it for good.
            state.left_alone_until = None;
            if let Some((_, times)) = &mut state.trouble {
                *times = self.manners.failures_in_a_row.saturating_sub(1);
            }
        }
        if let (Some(_), Some((trouble, times))) = (state.left_alone_until, state.trouble) {
            return Err(trouble.failure(host, times));
        }
        match state.paused_until.filter(|until| *until > now) {
            Some(until) if until - now > self.manners.longest_wait => {
                Err(failure(Cause::RateLimited, format!("{host} asks to wait for {}, longer than the scan waits", roughly(until - now))))
            }
            waiting => Ok(waiting),
        }
    }

    /// The host answered as it should, after so long.
    pub(super) fn answered(&self, took: Duration) {
        let full = self.turns.available_permits() == 0;
        let mut state = self.state();
        state.trouble = None;
        state.left_alone_until = None;
        state.least = state.least.min(took);
        if !full || state.least < NEAR || state.size >= self.manners.window_most {
            return;
        }
        state.answers_at_size += 1;
        let growth = match state.size < state.threshold {
            true => FAST_GROWTH.min(self.manners.window_most - state.size),
            false if state.answers_at_size >= state.size => 1,
            false => 0,
        };
        if growth > 0 {
            state.answers_at_size = 0;
            state.size += growth;
            let kept = state.surplus.min(growth);
            state.surplus -= kept;
            self.turns.add_permits(growth - kept);
        }
    }

    /// The host says that it is too much: halves the window (once for all requests that were out together) and waits.
    pub(super) fn too_much(&self, turn: &Turn<'_>, wait: Duration) {
        let now = Instant::now();
        let mut state = self.state();
        state.paused_until = state.paused_until.max(Some(now + wait));
        if state.shrunk.is_some_and(|shrunk| shrunk >= turn.since) {
            return;
        }
        let half = (state.size / 2).max(1);
        state.surplus += state.size - half;
        state.size = half;
        state.threshold = half;
        state.answers_at_size = 0;
        state.shrunk = Some(now);
    }

    /// A request failed for good in a way that others will probably fail in too.
    pub(super) fn failed(&self, trouble: Trouble) {
        let mut state = self.state();
        let times = match state.trouble {
            Some((same, times)) if same == trouble => times.saturating_add(1),
            _ => 1,
        };
        state.trouble = Some((trouble, times));
        if times >= self.manners.failures_in_a_row {
            state.left_alone_until = Some(Instant::now() + self.manners.left_alone);
        }
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut state = self.window.state();
        if state.surplus > 0
            && let Some(permit) = self.permit.take()
        {
            state.surplus -= 1;
            permit.forget();
        }
    }
}

/// In whole minutes, rounded up, where there are some: what is asked a second later is told in the same words.
fn roughly(wait: Duration) -> String {
    match wait.as_secs() {
        seconds @ 0..120 => format!("{seconds} s"),
        seconds => format!("{} min", seconds.div_ceil(60)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(start: usize, most: usize) -> Window {
        Window::new(Manners { window_start: start, window_most: most, ..Manners::default() })
    }

    async fn round(window: &Window, took: Duration) -> usize {
        let mut turns = Vec::new();
        while window.turns.available_permits() > 0 {
            turns.push(window.enter("host").await.unwrap());
        }
        let sent = turns.len();
        for turn in turns {
            window.answered(took);
            drop(turn);
            // Others are waiting: free places are taken at once.
            window.turns.forget_permits(usize::MAX);
        }
        window.turns.add_permits(window.size());
        sent
    }

    #[tokio::test(start_paused = true)]
    async fn it_grows_threefold_each_round_until_the_most() {
        let window = window(32, 256);
        let mut sizes = Vec::new();
        for _ in 0..5 {
            sizes.push(round(&window, NEAR).await);
        }
        assert_eq!(sizes, [32, 96, 256, 256, 256]);
    }

    #[tokio::test(start_paused = true)]
    async fn it_stays_as_it_is_where_answers_come_at_once() {
        let window = window(32, 256);
        for _ in 0..3 {
            assert_eq!(round(&window, NEAR / 2).await, 32);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn it_halves_once_for_requests_that_were_out_together_and_waits() {
        let window = window(8, 256);
        let mut turns = Vec::new();
        for _ in 0..8 {
            turns.push(window.enter("host").await.unwrap());
        }
        for turn in &turns {
            window.too_much(turn, Duration::from_secs(2));
        }
        assert_eq!(window.size(), 4);
        drop(turns);
        assert_eq!(window.turns.available_permits(), 4);
        let before = Instant::now();
        let turn = window.enter("host").await.unwrap();
        assert_eq!(before.elapsed().as_secs(), 2);
        window.too_much(&turn, Duration::from_secs(600));
        drop(turn);
        let refusal = window.enter("host").await.err().unwrap();
        assert_eq!(refusal.cause, Cause::RateLimited);
    }

    #[tokio::test(start_paused = true)]
    async fn a_silent_host_is_left_alone_and_tried_again_later() {
        let window = window(8, 256);
        for _ in 0..3 {
            drop(window.enter("host").await.unwrap());
            window.failed(Trouble::Silent);
        }
        assert_eq!(window.enter("host").await.err().unwrap().cause, Cause::Timeout);
        tokio::time::advance(Duration::from_secs(61)).await;
        assert!(window.enter("host").await.is_ok());
        window.failed(Trouble::Silent);
        assert!(window.enter("host").await.is_err());
        tokio::time::advance(Duration::from_secs(61)).await;
        drop(window.enter("host").await.unwrap());
        window.answered(NEAR);
        window.failed(Trouble::Silent);
        assert!(window.enter("host").await.is_ok());
    }
}

//! The same work on many things, on several threads at once.

use std::panic::resume_unwind;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use crate::Error;

/// Does `work` on each item, on as many threads as `lanes`, and returns what came of it in the
/// order of the items. One lane is this thread itself. Once anything has failed, nothing more
/// is begun.
///
/// # Errors
///
/// That of the work; if it fails several times, any of them.
pub(crate) fn map<T: Sync, R: Send>(
    lanes: usize,
    items: &[T],
    work: impl Fn(&T) -> Result<R, Error> + Sync,
) -> Result<Vec<R>, Error> {
    let lanes = lanes.min(items.len());
    if lanes <= 1 {
        return items.iter().map(work).collect();
    }
    let next = AtomicUsize::new(0);
    let lane = || {
        let mut done = Vec::new();
        loop {
            let place = next.fetch_add(1, Ordering::Relaxed);
            let Some(item) = items.get(place) else {
                return Ok(done);
            };
            match work(item) {
                Ok(result) => done.push((place, result)),
                Err(error) => {
                    next.store(items.len(), Ordering::Relaxed);
                    return Err(error);
                }
            }
        }
    };
    let mut results = thread::scope(|scope| {
        let lanes: Vec<_> = (0..lanes).map(|_| scope.spawn(lane)).collect();
        let mut results = Vec::with_capacity(items.len());
        for lane in lanes {
            let done = lane.join().unwrap_or_else(|panic| resume_unwind(panic));
            results.append(&mut done?);
        }
        Ok(results)
    })?;
    results.sort_unstable_by_key(|(place, _)| *place);
    Ok(results.into_iter().map(|(_, result)| result).collect())
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;

    use super::*;

    #[test]
    fn results_come_in_the_order_of_the_items() {
        let items: Vec<_> = (0..100).collect();
        for lanes in [0, 1, 2, 7, 200] {
            let results = map(lanes, &items, |item| Ok(item * 2)).unwrap();
            assert!(
                results
                    .iter()
                    .eq(items.iter().map(|item| item * 2).collect::<Vec<_>>().iter())
            );
        }
    }

    #[test]
    fn as_many_are_under_way_as_there_are_lanes() {
        // None passes before all four have come.
        let barrier = Barrier::new(4);
        let wait = |_: &()| {
            barrier.wait();
            Ok(())
        };
        map(4, &[(); 8], wait).unwrap();
    }

    #[test]
    fn after_a_failure_nothing_is_begun() {
        let begun = AtomicUsize::new(0);
        let fail = |_: &()| {
            begun.fetch_add(1, Ordering::Relaxed);
            Err::<(), _>(Error::NoCanister)
        };
        assert!(matches!(map(1, &[(); 9], fail), Err(Error::NoCanister)));
        assert_eq!(begun.swap(0, Ordering::Relaxed), 1);
        assert!(matches!(map(3, &[(); 9], fail), Err(Error::NoCanister)));
        assert!(begun.into_inner() <= 3);
    }
}

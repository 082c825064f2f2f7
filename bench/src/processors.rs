//! Which processors a measurement uses.
//!
//! Where the scheduler puts a client and its server decides more about a tenth of a millisecond than their code does, and
//! it changes its mind from one run to the next. So what is measured call by call has the second processor to itself,
//! its floor as well, and everybody else has the first one.

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
use std::io;

/// This thread is on the first processor, until this value ends.
pub struct Apart {
    all: CpuSet,
    first: CpuSet,
    /// There is none on a machine with one processor: all are on that one.
    second: CpuSet,
}

impl Apart {
    /// # Errors
    /// The kernel refuses.
    pub fn keep() -> io::Result<Apart> {
        let all = sched_getaffinity(None)?;
        let mut usable = (0..CpuSet::MAX_CPU).filter(|&number| all.is_set(number));
        let one = |number: Option<usize>| {
            let mut set = CpuSet::new();
            number.into_iter().for_each(|number| set.set(number));
            set
        };
        let first = one(usable.next());
        let second = usable.next().map_or(first, |number| one(Some(number)));
        sched_setaffinity(None, &first)?;
        Ok(Apart { all, first, second })
    }

    /// What this starts is on the second processor.
    ///
    /// # Errors
    /// The kernel refuses, or it does not start.
    pub fn beside<T>(&self, start: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        sched_setaffinity(None, &self.second)?;
        let started = start();
        sched_setaffinity(None, &self.first)?;
        started
    }
}

impl Drop for Apart {
    fn drop(&mut self) {
        // What is measured next would only have fewer processors.
        let _ = sched_setaffinity(None, &self.all);
    }
}

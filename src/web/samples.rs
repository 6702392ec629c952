//! What programs use, over the last hour: one ring for each process that runs, of a fixed length.

use std::collections::HashMap;

use crate::core::ProcId;

/// How far apart the points of a chart are.
pub const POINT_SECS: u64 = 15;

/// How many there are: an hour.
pub const POINTS_MAX: usize = 240;

/// What a process uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Usage {
    /// Thousandths of one processor.
    pub cpu_permille: u32,
    /// Resident memory.
    pub rss_kib: u32,
}

/// What the kernel says of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reading {
    /// Who it is.
    pub id: ProcId,
    /// Its pid: another one has another past.
    pub pid: i32,
    /// Processor time used so far.
    pub cpu_millis: u64,
    /// Resident memory.
    pub rss_kib: u32,
}

/// Of one program.
#[derive(Debug, Default)]
struct Ring {
    pid: i32,
    cpu_millis: u64,
    read_at_millis: u64,
    now: Option<Usage>,
    /// Number of the last reading that changed `now`.
    seq: u64,
    /// Point number `first` and those after it; a missing one is zero.
    points: Vec<Usage>,
    first: u64,
}

/// Of all.
#[derive(Debug, Default)]
pub struct Samples {
    rings: HashMap<ProcId, Ring>,
    seq: u64,
}

impl Samples {
    /// Takes in one reading of every process that runs, made at this moment of a clock that does not jump.
    pub fn take(&mut self, at_millis: u64, readings: &[Reading]) {
        self.seq += 1;
        for reading in readings {
            let ring = self.rings.entry(reading.id).or_default();
            ring.take(at_millis, reading, self.seq);
        }
        let seq = self.seq;
        for ring in self.rings.values_mut() {
            if ring.read_at_millis != at_millis && ring.now.take().is_some() {
                (ring.seq, ring.pid) = (seq, 0);
            }
        }
        let oldest = (at_millis / 1000 / POINT_SECS).saturating_sub(POINTS_MAX as u64);
        self.rings.retain(|_, ring| ring.now.is_some() || ring.first + ring.points.len() as u64 > oldest);
    }

    /// What a process uses now.
    pub fn usage(&self, id: ProcId) -> Option<Usage> {
        self.rings.get(&id)?.now
    }

    /// Number of the last reading.
    pub fn seq(&self) -> u64 {
        self.seq
    }

    /// The processes whose usage has changed since reading `seq`, with what they use.
    pub fn changed_since(&self, seq: u64) -> impl Iterator<Item = (ProcId, Option<Usage>)> {
        self.rings.iter().filter(move |(_, ring)| ring.seq > seq).map(|(id, ring)| (*id, ring.now))
    }

    /// The points of a program up to now, oldest first.
    pub fn points(&self, id: ProcId) -> &[Usage] {
        self.rings.get(&id).map_or(&[], |ring| &ring.points)
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.rings = HashMap::new();
    }
}

impl Ring {
    fn take(&mut self, at_millis: u64, reading: &Reading, seq: u64) {
        let passed_millis = at_millis.saturating_sub(self.read_at_millis);
        let used_millis = reading.cpu_millis.saturating_sub(self.cpu_millis);
        // Of a process that was not known before nobody can say what it used in a time.
        let is_known = self.pid == reading.pid && passed_millis > 0;
        let cpu_permille =
            if is_known { (used_millis * 1000 / passed_millis).min(u64::from(u32::MAX)) as u32 } else { 0 };
        (self.pid, self.cpu_millis, self.read_at_millis) = (reading.pid, reading.cpu_millis, at_millis);
        let usage = Usage { cpu_permille, rss_kib: reading.rss_kib };
        if self.now != Some(usage) {
            (self.now, self.seq) = (Some(usage), seq);
        }
        self.put(at_millis / 1000 / POINT_SECS, usage);
    }

    /// A point is the largest usage in its time: a peak must not get lost.
    fn put(&mut self, point: u64, usage: Usage) {
        let next = self.first + self.points.len() as u64;
        if self.points.is_empty() || point >= next + POINTS_MAX as u64 {
            (self.first, self.points) = (point, vec![usage]);
            return;
        }
        if point < next {
            if let Some(last) = self.points.last_mut() {
                last.cpu_permille = last.cpu_permille.max(usage.cpu_permille);
                last.rss_kib = last.rss_kib.max(usage.rss_kib);
            }
            return;
        }
        self.points.resize((point - self.first) as usize, Usage::default());
        self.points.push(usage);
        let surplus = self.points.len().saturating_sub(POINTS_MAX);
        self.points.drain(..surplus);
        self.first += surplus as u64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const P: ProcId = ProcId { slot: 0, generation: 0 };

    fn reading(pid: i32, cpu_millis: u64) -> Reading {
        Reading { id: P, pid, cpu_millis, rss_kib: 100 }
    }

    #[test]
    fn usage_is_what_was_used_between_two_readings_of_one_process() {
        let mut samples = Samples::default();
        samples.take(1000, &[reading(7, 500)]);
        assert_eq!(samples.usage(P), Some(Usage { cpu_permille: 0, rss_kib: 100 }));
        samples.take(6000, &[reading(7, 3000)]);
        assert_eq!(samples.usage(P).unwrap().cpu_permille, 500);
        // A new process under the name of the old one.
        samples.take(11000, &[reading(8, 40)]);
        assert_eq!(samples.usage(P).unwrap().cpu_permille, 0);
        let seen = samples.seq();
        samples.take(16000, &[]);
        assert_eq!(samples.usage(P), None);
        assert_eq!(samples.changed_since(seen).collect::<Vec<_>>(), [(P, None)]);
    }

    #[test]
    fn an_hour_is_kept_and_no_more() {
        let mut samples = Samples::default();
        for step in 0..2000 {
            samples.take(step * 5000, &[reading(7, step * 5000)]);
        }
        assert_eq!(samples.points(P).len(), POINTS_MAX);
        samples.take(20_000_000, &[]);
        assert_eq!(samples.points(P), [], "a program that is gone for an hour is forgotten");
    }

    #[test]
    fn a_pause_leaves_a_gap_of_its_length() {
        let mut samples = Samples::default();
        samples.take(0, &[reading(7, 0)]);
        samples.take(60_000, &[reading(7, 60_000)]);
        let cpu: Vec<u32> = samples.points(P).iter().map(|point| point.cpu_permille).collect();
        assert_eq!(cpu, [0, 0, 0, 0, 1000]);
    }
}

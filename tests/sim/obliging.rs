//! A machine that does whatever it is asked to.

use supervisor_kit::core::{
    Closed, CommandError, Kernel, Pid, ProcId, SignalError, SpawnError, SpawnPlan, Target, Tree,
};

/// A machine on which everything works, whoever asks: the pids of a forged snapshot are nobody's. It has given out this many.
pub struct Obliging(pub Pid);

impl Kernel for Obliging {
    fn check_command(&mut self, _: &SpawnPlan<'_>) -> Result<(), CommandError> {
        Ok(())
    }
    fn spawn(&mut self, _: &SpawnPlan<'_>) -> Result<Pid, SpawnError> {
        self.0 += 1;
        Ok(self.0)
    }
    fn signal(&mut self, _: Target, _: i32) -> Result<(), SignalError> {
        Ok(())
    }
    fn signal_tree(&mut self, _: &Tree<'_>, _: i32) -> usize {
        0
    }

    fn deliver(&mut self, _: ProcId, _: &[u8]) -> Result<(), Closed> {
        Ok(())
    }
}

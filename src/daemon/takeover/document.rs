//! What a look says, as JSON: the installer reads it.

use serde_json::{Value, json};

use super::survey::{Obstacle, Program, Survey};
use crate::config::{Config, GroupKind};

impl Survey {
    /// What a takeover will find.
    pub fn json(&self, config: &Config) -> Value {
        let runs = |program: &&Program| program.born.is_some();
        let (listeners, programs): (Vec<&Program>, Vec<&Program>) =
            self.programs.iter().filter(runs).partition(|program| program.is_listener);
        let adopted: Vec<Value> =
            programs.iter().map(|one| json!({ "name": one.namespec(), "pid": one.report.pid })).collect();
        let anew: Vec<String> = listeners.iter().map(|one| one.namespec()).collect();
        json!({
            "pid": self.pid,
            "born": self.born,
            "pidfile": config.supervisord.pidfile,
            "adopted": adopted,
            "anew": anew,
            "capturing": capturing(config),
        })
    }
}

/// Programs that may lose a message between capture tags.
fn capturing(config: &Config) -> Vec<&str> {
    let groups = config.groups.iter().filter(|group| !matches!(group.kind, GroupKind::EventListener { .. }));
    let processes = groups.flat_map(|group| &group.processes);
    let captures = processes.filter(|one| one.stdout.capture_maxbytes > 0 || one.stderr.capture_maxbytes > 0);
    captures.map(|one| one.name.as_str()).collect()
}

impl Obstacle {
    /// It as a document.
    pub fn json(&self) -> Value {
        match self {
            Obstacle::Unanswered { pid, reason } => json!({ "obstacle": "unanswered", "pid": pid, "reason": reason }),
            Obstacle::ConfigChanged { programs } => json!({ "obstacle": "config-changed", "programs": programs }),
            Obstacle::SharedSocket { programs } => json!({ "obstacle": "shared-socket", "programs": programs }),
            Obstacle::Pipes { program, reason } => {
                json!({ "obstacle": "pipes", "programs": [program], "reason": reason })
            }
            Obstacle::Busy { pid } => json!({ "obstacle": "busy", "pid": pid }),
            Obstacle::NotAdopted(value) => json!({ "obstacle": "not-adopted", "reason": value }),
        }
    }

    /// From such a document; `None` when it is none.
    pub fn read(document: &Value) -> Option<Self> {
        let pid = document["pid"].as_i64().and_then(|pid| pid.try_into().ok()).unwrap_or(0);
        let reason = document["reason"].as_str().unwrap_or_default().to_owned();
        let listed = document["programs"].as_array().into_iter().flatten();
        let programs: Vec<String> = listed.filter_map(Value::as_str).map(str::to_owned).collect();
        Some(match document["obstacle"].as_str()? {
            "config-changed" => Obstacle::ConfigChanged { programs },
            "shared-socket" => Obstacle::SharedSocket { programs },
            "pipes" => Obstacle::Pipes { program: programs.join(" "), reason },
            "busy" => Obstacle::Busy { pid },
            "not-adopted" => Obstacle::NotAdopted(reason),
            _ => Obstacle::Unanswered { pid, reason },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_obstacle_is_read_as_it_was_written() {
        let programs = vec!["a:b".to_owned()];
        for obstacle in [
            Obstacle::Unanswered { pid: 7, reason: "why".to_owned() },
            Obstacle::ConfigChanged { programs: programs.clone() },
            Obstacle::SharedSocket { programs },
            Obstacle::Pipes { program: "a:b".to_owned(), reason: "why".to_owned() },
            Obstacle::Busy { pid: 7 },
            Obstacle::NotAdopted("kill".to_owned()),
        ] {
            assert_eq!(Obstacle::read(&obstacle.json()), Some(obstacle));
        }
        assert_eq!(Obstacle::read(&json!({ "pid": 7 })), None);
    }
}

//! Which file is meant when none is named.

use super::{ConfigError, Host, paths};

/// What root is told on stderr when `supervisord` has to search for its file.
pub const ROOT_SEARCH_WARNING: &str = "Supervisord is running as root and it is searching for its configuration file \
    in default locations (including its current working directory); you probably want to specify a \"-c\" argument \
    specifying an absolute path to a configuration file for improved security.";

/// The first file found at the default places.
pub(super) fn required(program: &str, host: &dyn Host) -> Result<String, ConfigError> {
    first_existing(program, host).ok_or_else(|| {
        let places = search_paths(program, host).join(", ");
        ConfigError::new(format!(
            "No config file found at default paths ({places}); \
             use the -c option to specify a config file at a different path"
        ))
    })
}

/// The first default place where something exists.
pub(super) fn first_existing(program: &str, host: &dyn Host) -> Option<String> {
    search_paths(program, host).into_iter().find(|path| host.exists(path.as_ref()))
}

/// The default places. The first two are beside the program's own directory, as text: links are not followed.
fn search_paths(program: &str, host: &dyn Host) -> Vec<String> {
    let program = found_in_path(program, host).unwrap_or_else(|| program.to_owned());
    let beside = paths::dirname(paths::dirname(&program));
    let mut places = vec![paths::join(beside, "etc/supervisord.conf"), paths::join(beside, "supervisord.conf")];
    places.extend(
        ["supervisord.conf", "etc/supervisord.conf", "/etc/supervisord.conf", "/etc/supervisor/supervisord.conf"]
            .map(str::to_owned),
    );
    places
}

/// A bare command name as the shell found it: a Python script would see that path as `argv[0]`.
fn found_in_path(program: &str, host: &dyn Host) -> Option<String> {
    if program.contains('/') {
        return None;
    }
    let environment = host.environment();
    let (_, path) = environment.iter().find(|(name, _)| name == "PATH")?;
    path.split(':').map(|directory| paths::join(directory, program)).find(|path| host.exists(path.as_ref()))
}

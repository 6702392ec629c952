//! `[user:name]`: people with a password of their own, and what they may do. Supervisor does not know the section.

use super::error::ConfigError;
use super::load::Context;
use super::model::{Account, Credentials, Role};
use super::section::Reader;

/// In file order; two sections of one name are merged like any others.
pub(super) fn read(context: &Context<'_>) -> Result<Vec<Account>, ConfigError> {
    let mut accounts = Vec::new();
    for section in context.document.sections.values() {
        let Some(name) = section.name.strip_prefix("user:") else { continue };
        let reader = Reader { document: context.document, section };
        let username = name.trim().to_owned();
        if username.is_empty() || username.contains(':') {
            let error = reader.whole(format!("[{}] names no user", section.name));
            return Err(error.advise("write [user:alice]; a name has no colon"));
        }
        let password = reader.text("password", &context.names)?.filter(|password| !password.is_empty());
        let Some(password) = password else {
            let error = reader.error("password", format!("[{}] has no password", section.name));
            return Err(error.advise("add password=..., as \"supervisorctl hash-password\" makes it"));
        };
        let role = |text: &str| match text.trim().to_lowercase().as_str() {
            "readonly" => Ok(Role::Readonly),
            "operator" => Ok(Role::Operator),
            _ => Err(format!("role of [{}] is {text}: it must be readonly or operator", section.name)),
        };
        let role = reader.or("role", &context.names, Role::Readonly, role)?;
        accounts.push(Account { credentials: Credentials { username, password }, role });
    }
    Ok(accounts)
}

//! Logging in: by key, then by password, then by answering questions with the password. A server that refused a password is
//! not tried a second time, and nothing is answered that is shown as it is typed.

use std::sync::Arc;
use std::time::Duration;

use russh::client::{AuthResult, Handle, KeyboardInteractiveAuthResponse};
use russh::keys::{Algorithm, HashAlg, PrivateKey, PrivateKeyWithHashAlg};
use russh::{MethodKind, MethodSet};

use super::session::{Guard, Login, within};
use crate::config::secret::Secret;
use crate::deliver::DeliveryError;

/// How often a server may ask before it is let be.
const QUESTIONS_MAX: usize = 4;

/// Proves who is there.
///
/// # Errors
/// What was tried is not taken, more than a password is asked for, or the connection broke.
pub(super) async fn log_in(
    login: &Login,
    ssh: &mut Handle<Guard>,
    idle: Duration,
) -> Result<(), DeliveryError> {
    let mut offered = None;
    if let Some(key) = &login.key {
        match within(login, "logging in by key", idle, by_key(login, ssh, key)).await? {
            AuthResult::Success => return Ok(()),
            AuthResult::Failure {
                remaining_methods, ..
            } => offered = Some(remaining_methods),
        }
    }
    if let Some(password) = &login.password {
        let takes = |offered: &Option<MethodSet>, method: MethodKind| {
            offered
                .as_ref()
                .is_none_or(|offered| offered.contains(&method))
        };
        if takes(&offered, MethodKind::Password) {
            let login_now = ssh.authenticate_password(login.user.as_str(), password.expose());
            match within(login, "logging in by password", idle, login_now).await? {
                AuthResult::Success => return Ok(()),
                AuthResult::Failure {
                    remaining_methods, ..
                } => offered = Some(remaining_methods),
            }
            // A server that takes passwords has said that this is the wrong one: no second try at its cost.
            if takes(&offered, MethodKind::Password) {
                return Err(refused(login, ssh, offered.as_ref()));
            }
        }
        if takes(&offered, MethodKind::KeyboardInteractive)
            && by_answers(login, ssh, password, idle).await?
        {
            return Ok(());
        }
    }
    Err(refused(login, ssh, offered.as_ref()))
}

async fn by_key(
    login: &Login,
    ssh: &mut Handle<Guard>,
    key: &Arc<PrivateKey>,
) -> Result<AuthResult, russh::Error> {
    let hash = match key.algorithm() {
        // A server that does not say what it takes is asked for the one all of them have.
        Algorithm::Rsa { .. } => ssh
            .best_supported_rsa_hash()
            .await?
            .flatten()
            .or(Some(HashAlg::Sha256)),
        _ => None,
    };
    let key = PrivateKeyWithHashAlg::new(Arc::clone(key), hash);
    ssh.authenticate_publickey(login.user.as_str(), key).await
}

/// Answers the server's questions with the password: once, and only where what is typed is not shown.
async fn by_answers(
    login: &Login,
    ssh: &mut Handle<Guard>,
    password: &Secret,
    idle: Duration,
) -> Result<bool, DeliveryError> {
    let doing = "logging in by questions";
    let start = ssh.authenticate_keyboard_interactive_start(login.user.as_str(), None);
    let mut reply = within(login, doing, idle, start).await?;
    let mut answered = false;
    for _ in 0..QUESTIONS_MAX {
        let prompts = match reply {
            KeyboardInteractiveAuthResponse::Success => return Ok(true),
            KeyboardInteractiveAuthResponse::Failure { .. } => return Ok(false),
            KeyboardInteractiveAuthResponse::InfoRequest { prompts, .. } => prompts,
        };
        let beyond = prompts.iter().find(|prompt| prompt.echo || answered);
        if let Some(prompt) = beyond {
            return Err(login.stop(
                format!(
                    "the server asks for more than a password: `{}`",
                    login.quote(&prompt.prompt)
                ),
                "ask its operator for an account that enters by key, or by password alone",
            ));
        }
        answered |= !prompts.is_empty();
        let answers = prompts
            .iter()
            .map(|_| password.expose().to_owned())
            .collect();
        let respond = ssh.authenticate_keyboard_interactive_respond(answers);
        reply = within(login, doing, idle, respond).await?;
    }
    Err(login.stop(
        "the server does not stop asking",
        "ask its operator for an account that enters by key, or by password alone",
    ))
}

fn refused(login: &Login, ssh: &Handle<Guard>, offered: Option<&MethodSet>) -> DeliveryError {
    if ssh.is_closed() {
        return login.again(
            "the server ended the connection at the login",
            "too many wrong logins, or too many connections, make servers do so",
        );
    }
    let tried = match (&login.key, &login.password) {
        (Some(_), Some(_)) => "the key and the password",
        (Some(_), None) => "the key",
        _ => "the password",
    };
    let takes: Vec<&str> = offered
        .into_iter()
        .flat_map(|offered| offered.iter())
        .map(<&str>::from)
        .collect();
    login.stop(
        format!("the server does not take {tried} of user `{}`", login.user),
        format!(
            "check the user, and what `password` or `key` refer to; the server takes: {}",
            if takes.is_empty() {
                "nothing it tells".to_owned()
            } else {
                takes.join(", ")
            }
        ),
    )
}

//! Accounts and their logon sessions.

use crate::lab::Sid;
use crate::lab::scenario::{ScenarioError, User};

/// Logon id of the system's own session.
pub(super) const SYSTEM_LOGON: u64 = 0x3e7;

/// Somebody who can own a process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Account {
    pub(super) name: String,
    pub(super) domain: String,
    pub(super) sid: Sid,
}

/// An account with a logon.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Session {
    pub(super) account: Account,
    pub(super) logon_id: u64,
}

impl Account {
    pub(super) fn new(user: &User) -> Result<Account, ScenarioError> {
        let sid = Sid::parse(&user.sid)
            .ok_or_else(|| ScenarioError::Value(user.sid.clone(), "a security identifier"))?;
        Ok(Account { name: user.name.clone(), domain: user.domain.clone(), sid })
    }

    pub(super) fn system() -> Account {
        Account { name: "SYSTEM".into(), domain: "NT AUTHORITY".into(), sid: Sid::system() }
    }

    /// Who a network logon has as its subject.
    pub(super) fn nobody() -> Account {
        Account { name: "-".into(), domain: "-".into(), sid: Sid::nobody() }
    }

    /// `DOMAIN\name`.
    pub(super) fn full_name(&self) -> String {
        format!("{}\\{}", self.domain, self.name)
    }
}

impl Session {
    pub(super) fn system() -> Session {
        Session { account: Account::system(), logon_id: SYSTEM_LOGON }
    }

    /// The host as security events name it: `NAME$`.
    pub(super) fn host(name: &str) -> Session {
        let account =
            Account { name: format!("{name}$"), domain: name.to_owned(), sid: Sid::system() };
        Session { account, logon_id: SYSTEM_LOGON }
    }

    /// The session of a built-in service account, as `ObjectName` names it.
    pub(super) fn service(account: &str) -> Session {
        let name = account.rsplit('\\').next().unwrap_or(account).to_ascii_lowercase();
        let (name, sid, logon_id) = match name.replace(' ', "").as_str() {
            "localservice" => ("LOCAL SERVICE", Sid::local_service(), 0x3e5),
            "networkservice" => ("NETWORK SERVICE", Sid::network_service(), 0x3e4),
            _ => return Session::system(),
        };
        Session {
            account: Account { name: name.into(), domain: "NT AUTHORITY".into(), sid },
            logon_id,
        }
    }
}

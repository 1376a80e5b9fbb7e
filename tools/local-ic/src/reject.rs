//! Why a call was not answered with a reply.
//!
//! The codes, and the numbers behind them, are the Internet Computer's: the
//! first digit of an error code is its reject code, so `IC0503` is a
//! [`RejectCode::CanisterError`]. Clients branch on both, which is why they
//! are an enum here and text only at the edge.

use std::fmt;

/// A rejected call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reject {
    /// Which rule was broken, and by whom.
    pub error_code: ErrorCode,
    /// The sentence a developer reads.
    pub message: String,
}

impl Reject {
    /// A reject with this code and message.
    pub fn new(error_code: ErrorCode, message: impl Into<String>) -> Self {
        Self {
            error_code,
            message: message.into(),
        }
    }

    /// The class of the error, as the interface specification numbers it.
    pub fn reject_code(&self) -> RejectCode {
        self.error_code.reject_code()
    }
}

impl fmt::Display for Reject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.error_code, self.message)
    }
}

impl std::error::Error for Reject {}

/// The class of a reject (interface specification, "Reject codes").
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RejectCode {
    /// Fatal system error; retrying is unlikely to help.
    SysFatal = 1,
    /// Transient system error; retrying might help.
    SysTransient = 2,
    /// The destination does not exist.
    DestinationInvalid = 3,
    /// The canister chose to reject.
    CanisterReject = 4,
    /// The canister failed: trapped, did not reply, is stopped.
    CanisterError = 5,
    /// Nobody knows whether the call was executed.
    SysUnknown = 6,
}

impl RejectCode {
    /// The name of the variant, as PocketIC's interface spells it.
    pub fn name(self) -> &'static str {
        match self {
            Self::SysFatal => "SysFatal",
            Self::SysTransient => "SysTransient",
            Self::DestinationInvalid => "DestinationInvalid",
            Self::CanisterReject => "CanisterReject",
            Self::CanisterError => "CanisterError",
            Self::SysUnknown => "SysUnknown",
        }
    }
}

macro_rules! error_codes {
    ($($(#[$doc:meta])* $name:ident = $number:literal,)*) => {
        /// What exactly went wrong. `Display` writes `IC0503`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum ErrorCode {
            $($(#[$doc])* $name = $number,)*
        }

        impl ErrorCode {
            /// Every code, in ascending order.
            pub const ALL: &'static [ErrorCode] = &[$(Self::$name),*];

            /// The name of the variant, as PocketIC's interface spells it.
            pub fn name(self) -> &'static str {
                match self { $(Self::$name => stringify!($name),)* }
            }
        }
    };
}

error_codes! {
    /// The message was accepted so long ago that it is no longer known.
    IngressMessageTimeout = 202,
    /// A canister with the requested id exists already.
    CanisterIdAlreadyExists = 205,
    /// The cycles of the canister do not cover what it asked for.
    CanisterOutOfCycles = 207,
    /// No such canister.
    CanisterNotFound = 301,
    /// No such snapshot.
    CanisterSnapshotNotFound = 305,
    /// What came with a call to create a canister does not pay for it.
    InsufficientCyclesForCreateCanister = 403,
    /// No such subnet.
    SubnetNotFound = 404,
    /// The canister id belongs to another subnet.
    CanisterNotHostedBySubnet = 405,
    /// The canister refused: `ic0.msg_reject`, or `canister_inspect_message`.
    CanisterRejectedMessage = 406,
    /// The management canister has no such method, or not here.
    UnknownManagementMessage = 407,
    /// The management canister cannot decode, or refuses, the argument.
    InvalidManagementPayload = 408,
    /// The canister trapped.
    CanisterTrapped = 502,
    /// The canister called `ic0.trap`.
    CanisterCalledTrap = 503,
    /// The canister broke the rules of the system interface.
    CanisterContractViolation = 504,
    /// The module is not one the Internet Computer runs.
    CanisterInvalidWasm = 505,
    /// The canister returned without replying or rejecting.
    CanisterDidNotReply = 506,
    /// The canister ran out of memory.
    CanisterOutOfMemory = 507,
    /// The canister is stopped.
    CanisterStopped = 508,
    /// The canister is stopping.
    CanisterStopping = 509,
    /// The canister is not stopped, and has to be.
    CanisterNotStopped = 510,
    /// A stop was cancelled by a start.
    CanisterStoppingCancelled = 511,
    /// The caller is not a controller.
    CanisterInvalidController = 512,
    /// The canister does not export the function.
    CanisterFunctionNotFound = 513,
    /// The canister is not empty.
    CanisterNonEmpty = 514,
    /// The message executed more instructions than it may.
    CanisterInstructionLimitExceeded = 522,
    /// The message touched more stable memory than it may.
    CanisterMemoryAccessLimitExceeded = 524,
    /// Composite queries call one another too deep.
    QueryCallGraphTooDeep = 525,
    /// A composite query was called as an update.
    CompositeQueryCalledInReplicatedMode = 527,
    /// The canister has no such method, or not of this kind.
    CanisterMethodNotFound = 536,
    /// The canister is empty.
    CanisterWasmModuleNotFound = 537,
    /// `install` on a canister that has code already.
    CanisterAlreadyInstalled = 538,
    /// The heap grew beyond the limit in the canister's settings.
    CanisterWasmMemoryLimitExceeded = 539,
    /// The caller may not read the status of the canister.
    CanisterStatusAccessDenied = 542,
}

impl ErrorCode {
    /// The class of this error: its first digit.
    pub fn reject_code(self) -> RejectCode {
        match self as u16 / 100 {
            1 => RejectCode::SysFatal,
            2 => RejectCode::SysTransient,
            3 => RejectCode::DestinationInvalid,
            4 => RejectCode::CanisterReject,
            5 => RejectCode::CanisterError,
            _ => RejectCode::SysUnknown,
        }
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "IC{:04}", *self as u16)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_written_with_four_digits() {
        assert_eq!(ErrorCode::CanisterCalledTrap.to_string(), "IC0503");
        assert_eq!(ErrorCode::CanisterCalledTrap.name(), "CanisterCalledTrap");
    }

    #[test]
    fn the_first_digit_is_the_reject_code() {
        for code in ErrorCode::ALL {
            assert_eq!(*code as u16 / 100, code.reject_code() as u16, "{code}");
        }
    }
}

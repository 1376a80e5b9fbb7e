//! The seam between the gateway and a network.

use candid::Principal;

use crate::Reject;

/// What a gateway asks of the Internet Computer behind it.
///
/// Calls may take long; the gateway makes them on threads that may block.
pub trait Replica: Send + Sync + 'static {
    /// Asks one replica, as nobody in particular. The answer proves nothing.
    fn query(
        &self,
        canister: Principal,
        method: &str,
        argument: Vec<u8>,
    ) -> Result<Vec<u8>, Reject>;

    /// Asks the whole subnet, as nobody in particular.
    fn update(
        &self,
        canister: Principal,
        method: &str,
        argument: Vec<u8>,
    ) -> Result<Vec<u8>, Reject>;

    /// The key that certificates are checked with, in DER.
    fn root_key(&self) -> Vec<u8>;

    /// The time that certificates are checked at, in ns since 1970.
    fn time(&self) -> u64;
}

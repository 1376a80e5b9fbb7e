//! The root key of a network, from wherever it is to be had.

use ic_agent::{Agent, AgentError};
use tokio::runtime::Builder;

use crate::Error;
use crate::network::{Location, Trust};

/// The key that `trust` stands for, as DER. Only [`Trust::Fetched`] asks the network.
///
/// # Errors
///
/// [`Error::Unreachable`], if it does not answer.
pub fn root_key(location: &Location, trust: &Trust) -> Result<Vec<u8>, Error> {
    if let Trust::RootKey(key) = trust {
        return Ok(key.clone());
    }
    let broken = |reason: String| Error::Unreachable(reason);
    let words = |error: AgentError| Error::Unreachable(error.to_string());
    // A new agent knows the key of the Internet Computer.
    let agent = Agent::builder().with_url(location.url().as_str()).build();
    let agent = agent.map_err(words)?;
    if let Trust::Fetched = trust {
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| broken(error.to_string()))?;
        runtime.block_on(agent.fetch_root_key()).map_err(words)?;
    }
    Ok(agent.read_root_key())
}

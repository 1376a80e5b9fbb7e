//! Queries: answered from the state at hand, which stays as it is.

use candid::Principal;

use super::Network;
use super::ingress::{answer, method, no_method};
use crate::management;
use crate::meter::limit;
use crate::module::MethodKind;
use crate::system_api::{EntryPoint, Message};
use crate::{ErrorCode, Reject, system_canister};

impl Network {
    /// Answers a query by itself, without the word of a subnet.
    ///
    /// # Errors
    ///
    /// There is no such canister, code or method, the canister is stopped, or
    /// it failed or rejected.
    pub fn query(
        &mut self,
        sender: Principal,
        canister: Principal,
        method_name: &str,
        payload: Vec<u8>,
    ) -> Result<Vec<u8>, Reject> {
        if canister == Principal::management_canister() {
            return management::query(self, sender, method_name, &payload);
        }
        if let Some(system) = self.system_canister(canister) {
            return system_canister::query(self, system, method_name);
        }
        let surroundings = self.surroundings(canister);
        let limit = self.limit(limit::QUERY);
        let target = self.canister_mut(canister)?;
        target.check_running()?;
        let (entry, prefix) = match method(target, method_name)? {
            Some(MethodKind::Query) => (EntryPoint::Query, "canister_query"),
            Some(MethodKind::CompositeQuery) => {
                (EntryPoint::CompositeQuery, "canister_composite_query")
            }
            Some(MethodKind::Update) | None => {
                return Err(no_method(target, "query", method_name));
            }
        };
        let asks = target
            .code
            .as_ref()
            .is_some_and(|code| code.module.uses_certificate);
        let certificate = asks.then(|| self.data_certificate(canister)).flatten();
        let target = self.canister_mut(canister)?;
        let message = Message {
            entry,
            export: format!("{prefix} {method_name}"),
            caller: sender,
            argument: payload,
            method: method_name.to_owned(),
            certificate,
        };
        let (result, execution) = target.execute(&surroundings, message, limit);
        let answer = result.and_then(|effects| answer(target, effects.response));
        self.executed(execution);
        answer
    }

    /// The reject of a subnet that is not part of this network.
    pub(crate) fn no_subnet(id: Principal) -> Reject {
        Reject::new(ErrorCode::SubnetNotFound, format!("Subnet {id} not found"))
    }
}

//! The state a subnet certifies: time, canisters, subnets, and the statuses of
//! requests somebody asks about.

use std::sync::Arc;

use candid::Principal;
use ic_transport_types::SubnetMetrics;

use super::{IngressStatus, MessageId, Network};
use crate::canister::Canister;
use crate::certificate::{Path, Signed, Tree, encode_principals, insert_subnet, leb128};

impl Network {
    /// A certificate, as CBOR, of the state of a subnet that shows these paths
    /// or their absence (`read_state` of the HTTPS interface). `None` if there
    /// is no such subnet. Who may see what is for the caller to check.
    pub fn read_state(&self, subnet: Principal, paths: &[Vec<Vec<u8>>]) -> Option<Vec<u8>> {
        let index = self.subnets.iter().position(|known| known.id == subnet)?;
        let mut tree = self.state_tree(index);
        for path in paths {
            if let [label, id, ..] = path.as_slice()
                && label == b"request_status"
                && let Ok(id) = id.as_slice().try_into()
            {
                self.insert_status(&mut tree, &MessageId(id));
            }
        }
        let time: Path = vec![b"time".to_vec()];
        let shown: Vec<&[Vec<u8>]> = paths
            .iter()
            .map(Vec::as_slice)
            .chain([time.as_slice()])
            .collect();
        let authority = &self.authorities[index];
        let signed = Signed::new(tree, &authority.key);
        Some(signed.certificate(&shown, authority.delegation.as_ref()))
    }

    /// Signs the answer to a query as a node of the subnet does; the node and
    /// its Ed25519 signature. `None` if there is no such subnet.
    pub(crate) fn sign_as_node(
        &self,
        subnet: Principal,
        message: &[u8],
    ) -> Option<(Principal, Vec<u8>)> {
        let index = self.subnets.iter().position(|known| known.id == subnet)?;
        let node = &self.authorities[index].node;
        Some((node.id, node.sign(message)))
    }

    /// What a query of this canister gets as its certificate.
    pub(super) fn data_certificate(&mut self, canister: Principal) -> Option<Arc<[u8]>> {
        let index = self.owner(canister)?;
        if self.authorities[index].signed.is_none() {
            let tree = self.state_tree(index);
            let authority = &mut self.authorities[index];
            authority.signed = Some(Signed::new(tree, &authority.key));
        }
        let authority = &mut self.authorities[index];
        let signed = authority.signed.as_mut()?;
        Some(signed.of_canister(canister, authority.delegation.as_ref()))
    }

    /// Forgets signatures of a state that is no longer.
    pub(crate) fn state_changed(&mut self) {
        for authority in &mut self.authorities {
            authority.signed = None;
        }
    }

    fn state_tree(&self, index: usize) -> Tree {
        let mut tree = Tree::empty();
        tree.insert([b"time"], leb128(self.time));
        for subnet in &self.subnets {
            insert_subnet(
                &mut tree,
                subnet.id,
                &subnet.public_key,
                &subnet.canister_ranges,
            );
            let kind = subnet.kind.type_name().as_bytes().to_vec();
            tree.insert([b"subnet", subnet.id.as_slice(), b"type"], kind);
        }
        let here = &self.subnets[index];
        let node = &self.authorities[index].node;
        tree.insert(
            [
                b"subnet",
                here.id.as_slice(),
                b"node",
                node.id.as_slice(),
                b"public_key",
            ],
            node.public_der.clone(),
        );
        tree.insert(
            [b"subnet", here.id.as_slice(), b"metrics"],
            self.metrics(index),
        );
        for canister in self
            .canisters
            .values()
            .filter(|canister| here.owns(canister.id))
        {
            insert_canister(&mut tree, canister);
        }
        tree
    }

    /// What a subnet counts, as CBOR with numbers for keys.
    fn metrics(&self, index: usize) -> Vec<u8> {
        let here = &self.subnets[index];
        let canisters = || self.canisters.values().filter(|one| here.owns(one.id));
        let bytes = |canister: &Canister| {
            let heap = canister.code.as_ref().map_or(0, |code| code.heap.len());
            heap as u64 + canister.stable.size_in_bytes()
        };
        let metrics = SubnetMetrics {
            num_canisters: canisters().count() as u64,
            canister_state_bytes: canisters().map(bytes).sum(),
            // Nothing is charged for here.
            consumed_cycles_total: 0,
            update_transactions_total: self.executed[index],
        };
        // Writing to a vector does not fail.
        serde_cbor::ser::to_vec_packed(&metrics).unwrap_or_default()
    }

    fn insert_status(&self, tree: &mut Tree, id: &MessageId) {
        let Some(accepted) = self.accepted.get(id) else {
            return;
        };
        let mut put = |label: &[u8], value: Vec<u8>| {
            tree.insert([b"request_status", &id.0, label], value);
        };
        match &accepted.status {
            IngressStatus::Received => put(b"status", b"received".to_vec()),
            IngressStatus::Processing => put(b"status", b"processing".to_vec()),
            IngressStatus::Done(Ok(reply)) => {
                put(b"status", b"replied".to_vec());
                put(b"reply", reply.clone());
            }
            IngressStatus::Done(Err(reject)) => {
                put(b"status", b"rejected".to_vec());
                put(b"reject_code", leb128(reject.reject_code() as u64));
                put(b"reject_message", reject.message.clone().into_bytes());
                put(b"error_code", reject.error_code.to_string().into_bytes());
            }
        }
    }
}

fn insert_canister(tree: &mut Tree, canister: &Canister) {
    let id = canister.id.as_slice();
    let controllers = encode_principals(&canister.settings.controllers);
    tree.insert([b"canister", id, b"controllers"], controllers);
    if let Some(code) = &canister.code {
        let data = canister.certified_data.clone();
        tree.insert([b"canister", id, b"certified_data"], data);
        tree.insert([b"canister", id, b"module_hash"], code.module.hash.to_vec());
        for (name, metadata) in &code.module.metadata {
            tree.insert(
                [b"canister", id, b"metadata", name.as_bytes()],
                metadata.content.clone(),
            );
        }
    }
}

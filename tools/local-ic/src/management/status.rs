//! What can be asked about a canister.

use candid::{Nat, Principal};
use ic_management_canister_types::{
    CanisterInfoResult, CanisterLogRecord, CanisterStatusResult, CanisterStatusType,
    FetchCanisterLogsResult, LogVisibility, MemoryMetrics, QueryStats, StatusVisibility,
};
use serde_bytes::ByteBuf;
use sha2::{Digest, Sha256};

use super::encode;
use crate::Reject;
use crate::canister::{Canister, Status};
use crate::network::Network;

pub(super) fn status(network: &mut Network, id: Principal) -> Result<Vec<u8>, Reject> {
    let canister = network.canister_mut(id)?;
    let memory_metrics = metrics(canister);
    let sizes = &memory_metrics;
    let memory_size = [
        &sizes.wasm_memory_size,
        &sizes.stable_memory_size,
        &sizes.global_memory_size,
        &sizes.wasm_binary_size,
        &sizes.custom_sections_size,
        &sizes.wasm_chunk_store_size,
        &sizes.log_memory_store_size,
    ]
    .into_iter()
    .fold(Nat::from(0u8), |sum, size| sum + size.clone());
    let none = || Nat::from(0u8);
    encode(&CanisterStatusResult {
        status: match canister.status {
            Status::Running => CanisterStatusType::Running,
            Status::Stopping => CanisterStatusType::Stopping,
            Status::Stopped => CanisterStatusType::Stopped,
        },
        ready_for_migration: canister.status == Status::Stopped,
        version: canister.version,
        settings: canister.settings.definite(),
        module_hash: canister.code.as_ref().map(|code| code.module.hash.to_vec()),
        memory_size,
        memory_metrics,
        cycles: canister.cycles.into(),
        reserved_cycles: none(),
        idle_cycles_burned_per_day: none(),
        query_stats: QueryStats {
            num_calls_total: none(),
            num_instructions_total: none(),
            request_payload_bytes_total: none(),
            response_payload_bytes_total: none(),
        },
    })
}

fn metrics(canister: &Canister) -> MemoryMetrics {
    let code = canister.code.as_ref();
    let of_code = |size: fn(&crate::execution::Code) -> usize| Nat::from(code.map_or(0, size));
    MemoryMetrics {
        wasm_memory_size: of_code(|code| code.heap.len()),
        stable_memory_size: canister.stable.size_in_bytes().into(),
        global_memory_size: of_code(|code| 8 * code.module.globals),
        wasm_binary_size: of_code(|code| code.module.size),
        custom_sections_size: of_code(|code| {
            let sections = code.module.metadata.iter();
            sections
                .map(|(name, metadata)| name.len() + metadata.content.len())
                .sum()
        }),
        canister_history_size: 0u8.into(),
        wasm_chunk_store_size: canister.chunks.values().map(Vec::len).sum::<usize>().into(),
        snapshots_size: 0u8.into(),
        log_memory_store_size: canister.log.bytes().into(),
    }
}

pub(super) fn logs(network: &mut Network, id: Principal) -> Result<Vec<u8>, Reject> {
    let canister = network.canister_mut(id)?;
    let canister_log_records = canister
        .log
        .records()
        .map(|record| CanisterLogRecord {
            idx: record.index,
            timestamp_nanos: record.time,
            content: record.content.clone(),
        })
        .collect();
    encode(&FetchCanisterLogsResult {
        canister_log_records,
    })
}

/// No history is kept: of the changes of a canister, none is told.
pub(super) fn info(network: &mut Network, id: Principal) -> Result<Vec<u8>, Reject> {
    let canister = network.canister_mut(id)?;
    encode(&CanisterInfoResult {
        total_num_changes: 0,
        recent_changes: Vec::new(),
        module_hash: canister.code.as_ref().map(|code| code.module.hash.to_vec()),
        controllers: canister.settings.controllers.clone(),
    })
}

/// 32 bytes, others each time and the same in each network of one seed.
pub(super) fn random(network: &mut Network) -> Result<Vec<u8>, Reject> {
    let bytes = Sha256::new_with_prefix(b"local-ic raw_rand")
        .chain_update(network.root_key())
        .chain_update(network.drawn.to_be_bytes())
        .finalize();
    network.drawn += 1;
    encode(&ByteBuf::from(bytes.to_vec()))
}

pub(super) fn may_see_status(canister: &Canister, who: &Principal) -> bool {
    canister.is_controlled_by(who)
        || canister.id == *who
        || match &canister.settings.status_visibility {
            StatusVisibility::Controllers => false,
            StatusVisibility::Public => true,
            StatusVisibility::AllowedViewers(viewers) => viewers.contains(who),
        }
}

pub(super) fn may_see_logs(canister: &Canister, who: &Principal) -> bool {
    canister.is_controlled_by(who)
        || match &canister.settings.log_visibility {
            LogVisibility::Controllers => false,
            LogVisibility::Public => true,
            LogVisibility::AllowedViewers(viewers) => viewers.contains(who),
        }
}

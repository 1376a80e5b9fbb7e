//! The one rewrite of a module, at install.
//!
//! A canister outlives its instances, so what an instance holds must be within
//! reach: memory 0, table 0 and the mutable globals are exported under reserved
//! names. What a fresh instance would do by itself must not be done again with
//! each message: `start` becomes an export, and active data segments become
//! empty passive ones (their indices stay), their content being the business of
//! [`Module::initial_heap`](super::Module::initial_heap). All else is copied.

use wasm_encoder::{DataSection, ExportKind, ExportSection, RawSection};
use wasmparser::{DataKind, ExternalKind, Parser, Payload};

use super::InvalidModule;
use super::survey::Survey;

/// The export that is memory 0.
pub(crate) const MEMORY: &str = "local-ic memory";
/// The export that is table 0.
pub(crate) const TABLE: &str = "local-ic table";
/// The export that was the start function.
pub(crate) const START: &str = "local-ic start";
/// The exports that are the mutable globals; a number from 0 follows.
pub(crate) const GLOBAL_PREFIX: &str = "local-ic global ";

/// The module with everything within reach that has to be.
pub(super) fn rewrite(wasm: &[u8], survey: &Survey) -> Result<Vec<u8>, InvalidModule> {
    let mut module = wasm_encoder::Module::new();
    let mut exports = Some(ExportSection::new());
    for payload in Parser::new(0).parse_all(wasm) {
        let payload = payload.map_err(InvalidModule::new)?;
        if comes_after_exports(&payload)
            && let Some(exports) = exports.take()
        {
            module.section(&complete(exports, survey));
        }
        match &payload {
            Payload::ExportSection(section) => {
                let mut exports = exports.take().unwrap_or_default();
                for export in section.clone() {
                    let export = export.map_err(InvalidModule::new)?;
                    exports.export(export.name, kind(export.kind)?, export.index);
                }
                module.section(&complete(exports, survey));
            }
            Payload::StartSection { .. } => {}
            Payload::CustomSection(section) if section.name() != "name" => {}
            Payload::DataSection(section) => {
                let mut segments = DataSection::new();
                for segment in section.clone() {
                    let segment = segment.map_err(InvalidModule::new)?;
                    segments.passive(match segment.kind {
                        DataKind::Passive => segment.data.iter().copied(),
                        DataKind::Active { .. } => [].iter().copied(),
                    });
                }
                module.section(&segments);
            }
            payload => {
                if let Some((id, range)) = payload.as_section() {
                    let data = &wasm[range];
                    module.section(&RawSection { id, data });
                }
            }
        }
    }
    if let Some(exports) = exports {
        module.section(&complete(exports, survey));
    }
    Ok(module.finish())
}

/// Whether the export section has to come before this one.
fn comes_after_exports(payload: &Payload<'_>) -> bool {
    matches!(
        payload,
        Payload::StartSection { .. }
            | Payload::ElementSection(_)
            | Payload::DataCountSection { .. }
            | Payload::CodeSectionStart { .. }
            | Payload::DataSection(_)
    )
}

fn complete(mut exports: ExportSection, survey: &Survey) -> ExportSection {
    if survey.has_memory {
        exports.export(MEMORY, ExportKind::Memory, 0);
    }
    if survey.has_table {
        exports.export(TABLE, ExportKind::Table, 0);
    }
    for (number, index) in survey.mutable_globals.iter().enumerate() {
        exports.export(
            &format!("{GLOBAL_PREFIX}{number}"),
            ExportKind::Global,
            *index,
        );
    }
    if let Some(start) = survey.start {
        exports.export(START, ExportKind::Func, start);
    }
    exports
}

fn kind(kind: ExternalKind) -> Result<ExportKind, InvalidModule> {
    match kind {
        ExternalKind::Func => Ok(ExportKind::Func),
        ExternalKind::Table => Ok(ExportKind::Table),
        ExternalKind::Memory => Ok(ExportKind::Memory),
        ExternalKind::Global => Ok(ExportKind::Global),
        other => Err(InvalidModule::new(format_args!("it exports a {other:?}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rewritten(wat: &str) -> Vec<u8> {
        let wasm = wat::parse_str(wat).unwrap();
        rewrite(&wasm, &Survey::of(&wasm).unwrap()).unwrap()
    }

    fn exports(wasm: &[u8]) -> Vec<String> {
        let mut names = Vec::new();
        for payload in Parser::new(0).parse_all(wasm) {
            match payload.unwrap() {
                Payload::ExportSection(section) => {
                    names.extend(
                        section
                            .into_iter()
                            .map(|export| export.unwrap().name.to_owned()),
                    );
                }
                Payload::StartSection { .. } => panic!("a start function is left"),
                _ => {}
            }
        }
        names
    }

    #[test]
    fn what_has_to_be_reached_is_exported() {
        let wasm = rewritten(
            r#"(module
                (memory (export "mem") 1) (table 1 funcref)
                (global i32 (i32.const 1)) (global (mut i32) (i32.const 1)) (global (mut i64) (i64.const 1))
                (func $f) (start $f) (elem (i32.const 0) $f))"#,
        );
        wasmparser::Validator::new().validate_all(&wasm).unwrap();
        assert_eq!(
            exports(&wasm),
            [
                "mem",
                MEMORY,
                TABLE,
                "local-ic global 0",
                "local-ic global 1",
                START
            ]
        );
    }

    #[test]
    fn a_module_without_exports_gets_its_section_in_the_right_place() {
        let wasm = rewritten("(module (memory 1) (func $f) (start $f))");
        wasmparser::Validator::new().validate_all(&wasm).unwrap();
        assert_eq!(exports(&wasm), [MEMORY, START]);
        assert!(exports(&rewritten("(module)")).is_empty());
    }

    #[test]
    fn passive_segments_keep_their_numbers() {
        let wasm = rewritten(
            r#"(module (memory 1) (data (i32.const 8) "active") (data $p "passive")
                (func (memory.init $p (i32.const 0) (i32.const 0) (i32.const 7))))"#,
        );
        wasmparser::Validator::new().validate_all(&wasm).unwrap();
        let segments: Vec<Vec<u8>> = Parser::new(0)
            .parse_all(&wasm)
            .find_map(|payload| match payload.unwrap() {
                Payload::DataSection(section) => Some(
                    section
                        .into_iter()
                        .map(|segment| segment.unwrap().data.to_vec())
                        .collect(),
                ),
                _ => None,
            })
            .unwrap();
        assert_eq!(segments, [b"".to_vec(), b"passive".to_vec()]);
    }
}

//! The custom sections of a WebAssembly module.
//!
//! ```text
//! module   "\0asm" 1 · section*
//! section  id (1 byte) · size (LEB128) · payload
//! custom   id 0, payload = name size (LEB128) · name · contents
//! ```
//!
//! A canister carries only those that the Internet Computer reads: `icp:public …` and
//! `icp:private …`. The compiler's own (function names, producers, features) go: they are
//! half the size of a module and nothing on the network looks at them.

use anyhow::{Context as _, Result, ensure};

const HEADER: &[u8] = b"\0asm\x01\0\0\0";
const CUSTOM: u8 = 0;

/// The module with the given public metadata and no other custom section.
pub(crate) fn with_metadata(module: &[u8], metadata: &[(&str, &[u8])]) -> Result<Vec<u8>> {
    let mut rest = module
        .strip_prefix(HEADER)
        .context("this is not a WebAssembly module of version 1")?;
    let mut out = HEADER.to_vec();
    while let Some((&id, after)) = rest.split_first() {
        let (size, payload) = read_u32(after)?;
        let end = size as usize;
        ensure!(end <= payload.len(), "a section is cut short");
        if id != CUSTOM {
            write_section(&mut out, id, &payload[..end]);
        }
        rest = &payload[end..];
    }
    for (name, contents) in metadata {
        let name = format!("icp:public {name}");
        let mut payload = Vec::new();
        write_u32(&mut payload, name.len());
        payload.extend_from_slice(name.as_bytes());
        payload.extend_from_slice(contents);
        write_section(&mut out, CUSTOM, &payload);
    }
    Ok(out)
}

fn write_section(out: &mut Vec<u8>, id: u8, payload: &[u8]) {
    out.push(id);
    write_u32(out, payload.len());
    out.extend_from_slice(payload);
}

fn read_u32(bytes: &[u8]) -> Result<(u32, &[u8])> {
    let mut value = 0u64;
    for (i, &byte) in bytes.iter().enumerate().take(5) {
        value |= u64::from(byte & 0x7f) << (7 * i);
        if byte & 0x80 == 0 {
            let value = u32::try_from(value).context("a section size is out of range")?;
            return Ok((value, &bytes[i + 1..]));
        }
    }
    anyhow::bail!("a section size is malformed")
}

fn write_u32(out: &mut Vec<u8>, mut value: usize) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn module(sections: &[(u8, &[u8])]) -> Vec<u8> {
        let mut out = HEADER.to_vec();
        for (id, payload) in sections {
            write_section(&mut out, *id, payload);
        }
        out
    }

    #[test]
    fn only_the_given_metadata_remains() {
        let long = [7; 300];
        let before = module(&[(1, b"types"), (0, b"\x04namejunk"), (10, &long)]);
        let after = with_metadata(&before, &[("candid:service", b"service : {}")]).unwrap();
        let section = b"\x19icp:public candid:serviceservice : {}";
        assert_eq!(after, module(&[(1, b"types"), (10, &long), (0, section)]));
    }

    #[test]
    fn metadata_is_replaced_not_added() {
        let once = with_metadata(&module(&[]), &[("a", b"1")]).unwrap();
        assert_eq!(with_metadata(&once, &[("a", b"1")]).unwrap(), once);
    }

    #[test]
    fn what_is_not_a_module_is_refused() {
        let cut = &module(&[(1, b"types")])[..10];
        for bytes in [b"".as_slice(), b"\0asm\x0d\0\x01\0", cut] {
            assert!(with_metadata(bytes, &[]).is_err(), "{bytes:?}");
        }
    }
}

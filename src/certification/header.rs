//! The `IC-Certificate` header (HTTP Gateway Protocol specification, "The Certificate Header").

use super::ExpressionPath;
use base64_simd::STANDARD;

/// The header's value from a certificate, a witness and the expression path that the answer is found at.
pub fn certificate_header(certificate: &[u8], witness: &[u8], path: &ExpressionPath) -> String {
    let path = path.to_cbor();
    let encoded = (certificate.len() + witness.len() + path.len()) / 3 * 4;
    let mut value = String::with_capacity(encoded + 70);
    for (name, bytes) in [
        ("certificate", certificate),
        ("tree", witness),
        ("expr_path", &path),
    ] {
        value.push_str(name);
        value.push_str("=:");
        STANDARD.encode_append(bytes, &mut value);
        value.push_str(":, ");
    }
    value.push_str("version=2");
    value
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::certification::Reach;

    #[test]
    fn fields_are_in_the_usual_order() {
        let path = ExpressionPath::new::<&str>([], Reach::Below);
        assert_eq!(
            certificate_header(b"cert", b"tree", &path),
            "certificate=:Y2VydA==:, tree=:dHJlZQ==:, expr_path=:2dn3gmlodHRwX2V4cHJjPCo+:, version=2"
        );
    }
}

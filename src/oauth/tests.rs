use super::*;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::DecodingKey;
use jsonwebtoken::crypto::verify;

/// The example of RFC 7515, A.2.
#[test]
fn a_signature_of_rsa_is_checked() {
    crypto::install();
    let modulus = "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-\
                   pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdV\
                   MTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ";
    let signature = "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1\
                     dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOk\
                     HWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw";
    let message = b"eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
    let key = DecodingKey::from_rsa_components(modulus, "AQAB").expect("a key");
    assert!(verify(signature, message, &key, Algorithm::RS256).expect("checked"));
    let other = format!("{}.x", String::from_utf8_lossy(message));
    assert!(!verify(signature, other.as_bytes(), &key, Algorithm::RS256).expect("checked"));
    // A public key is no secret: it must never be taken for one.
    for algorithm in [Algorithm::HS256, Algorithm::ES256, Algorithm::PS256] {
        assert!(verify(signature, message, &key, algorithm).is_err());
    }
}

#[tokio::test]
async fn what_is_no_token_of_the_issuer_is_refused_before_the_issuer_is_asked() {
    // Nobody listens there: whoever asks gets `Unavailable`.
    let oauth = OAuth::new("http://127.0.0.1:9", "here").expect("good");
    let coded = |text: &str| URL_SAFE_NO_PAD.encode(text);
    let claims = coded(r#"{"sub":"u","scope":"proxmox:admin"}"#);
    let with = |header: &str| format!("{}.{claims}.AAAA", coded(header));
    for bad in [
        "".to_owned(),
        "a.b.c".to_owned(),
        with(r#"{"alg":"none"}"#),
        with(r#"{"alg":"HS256"}"#),
        with(r#"{"alg":"RS512"}"#),
        with(r#"{"alg":"RS256","crit":["x"]}"#),
        "x".repeat(LONGEST + 1),
    ] {
        assert!(matches!(oauth.admit(&bad).await, Err(NotAdmitted::Invalid(_))), "{bad}");
    }
    assert_eq!(oauth.admit(&with(r#"{"alg":"RS256","kid":"1"}"#)).await, Err(NotAdmitted::Unavailable));
}

from voicehub.tokens import derive_token, hash_token, new_token, redact_links


def test_token_is_long_unique_and_stored_as_its_hash() -> None:
    tokens = {new_token() for _ in range(200)}
    assert len(tokens) == 200
    assert all(len(token) == 43 and hash_token(token) == digest and token not in digest for token, digest in tokens)


def test_derived_token_depends_only_on_purpose_and_row() -> None:
    assert derive_token("callback", 1) == derive_token("callback", 1)
    assert len({derive_token("callback", 1), derive_token("dataset", 1), derive_token("callback", 2)}) == 3
    assert len(derive_token("callback", 1)) == 43


def test_private_links_are_redacted_in_logs() -> None:
    token = new_token()[0]
    for path in (f"/i/{token}/", f"/hooks/resemble_v2/{token}/", f"/datasets/{token}/dataset.zip"):
        assert token not in redact_links(f"GET {path} 200")
    assert redact_links("GET /talents/ 200") == "GET /talents/ 200"

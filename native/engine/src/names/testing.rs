//! Messages of application protocols, for tests.

/// The record of a ClientHello of TLS 1.3 with this name in it (RFC 8446, 4.1.2).
pub(crate) fn client_hello(name: &str) -> Vec<u8> {
    let name = [&[0][..], &prefixed(2, name.as_bytes())].concat();
    let extensions = [
        extension(0, &prefixed(2, &name)),
        extension(16, &prefixed(2, &prefixed(1, b"h2"))),
        extension(43, &prefixed(1, &[3, 4])),
    ]
    .concat();
    let ciphers = prefixed(2, &[0x13, 0x01, 0x13, 0x02]);
    let body = [&[3, 3][..], &[7; 32], &[0], &ciphers, &[1, 0], &prefixed(2, &extensions)].concat();
    handshake(1, &body)
}

/// The record of a ServerHello that chose TLS 1.3.
pub(crate) fn server_hello() -> Vec<u8> {
    let extensions = extension(43, &[3, 4]);
    handshake(2, &[&[3, 3][..], &[9; 32], &[0], &[0x13, 0x01], &[0], &prefixed(2, &extensions)].concat())
}

fn handshake(kind: u8, body: &[u8]) -> Vec<u8> {
    [&[22, 3, 1][..], &prefixed(2, &[&[kind][..], &prefixed(3, body)].concat())].concat()
}

fn extension(number: u16, body: &[u8]) -> Vec<u8> {
    [&number.to_be_bytes()[..], &prefixed(2, body)].concat()
}

/// Bytes behind their length, which has `width` bytes.
fn prefixed(width: usize, bytes: &[u8]) -> Vec<u8> {
    [&(bytes.len() as u32).to_be_bytes()[4 - width..], bytes].concat()
}

/// An AUTHENTICATE_MESSAGE of NTLM without a domain ([MS-NLMP] section 2.2.1.3).
pub(crate) fn ntlm_logon(user: &str, workstation: &str) -> Vec<u8> {
    let mut message = [&b"NTLMSSP\0\x03\0\0\0"[..], &[0; 52]].concat();
    for (place, name) in [(36, user), (44, workstation)] {
        message[place] = name.len() as u8;
        message[place + 4] = message.len() as u8;
        message.extend(name.as_bytes());
    }
    message
}

/// An answer that gives a client a ticket (RFC 4120, 5.4.2), its names alone.
pub(crate) fn kerberos_answer(name: &str, realm: &str) -> Vec<u8> {
    let der = |tag: u8, content: &[u8]| [&[tag, content.len() as u8][..], content].concat();
    let names = der(0xa1, &der(0x30, &der(0x1b, name.as_bytes())));
    let client = der(0x30, &[der(0xa0, &[2, 1, 1]), names].concat());
    let head = [der(0xa0, &[2, 1, 5]), der(0xa1, &[2, 1, 11])].concat();
    let fields = [head, der(0xa3, &der(0x1b, realm.as_bytes())), der(0xa4, &client)].concat();
    der(0x6b, &der(0x30, &fields))
}

/// A frame of HTTP/2 (RFC 9113, 4.1).
pub(crate) fn http2_frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = (payload.len() as u32).to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// A question for an address.
pub(crate) fn dns_query(id: u16, name: &str) -> Vec<u8> {
    [&id.to_be_bytes()[..], &[1, 0, 0, 1, 0, 0, 0, 0, 0, 0], &dns_name(name), &[0, 1, 0, 1]].concat()
}

/// The answer to it: `name` is another name for `alias`, which has this address.
pub(crate) fn dns_response(id: u16, name: &str, alias: &str, address: [u8; 4]) -> Vec<u8> {
    let question = [&dns_name(name)[..], &[0, 1, 0, 1]].concat();
    let head = [&id.to_be_bytes()[..], &[0x81, 0x80, 0, 1, 0, 2, 0, 0, 0, 0]].concat();
    // The question's name stands behind the header (RFC 1035, 4.1.4).
    let cname = [&[0xc0, 12, 0, 5, 0, 1, 0, 0, 0, 60][..], &prefixed(2, &dns_name(alias))].concat();
    let a = [&dns_name(alias)[..], &[0, 1, 0, 1, 0, 0, 0, 60, 0, 4], &address].concat();
    [head, question, cname, a].concat()
}

fn dns_name(name: &str) -> Vec<u8> {
    let labels = name.split('.').flat_map(|label| prefixed(1, label.as_bytes()));
    labels.chain([0]).collect()
}

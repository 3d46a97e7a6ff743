//! Hellos for tests.

/// The ClientHello of RFC 8448, section 3.
pub(crate) const RFC_8448_CLIENT: &str = "010000c00303cb34ecb1e78163ba1c38c6dacb196a6dffa21a8d9912ec18a2ef6283\
    024dece7000006130113031302010000910000000b0009000006736572766572ff01000100000a00140012001d0017001800190100010101\
    020103010400230000003300260024001d002099381de560e4bd43d23d8e435a7dbafeb3c06e51c13cae4d5413691e529aaf2c002b000302\
    0304000d0020001e040305030603020308040805080604010501060102010402050206020202002d00020101001c00024001";

/// The ServerHello of the same.
pub(crate) const RFC_8448_SERVER: &str = "020000560303a6af06a4121860dc5e6e60249cd34c95930c8ac5cb1434dac155772ed3e2\
    692800130100002e00330024001d0020c9828876112095fe66762bdbf7c672e156d6cc253b833df1dd69b1b04e751f0f002b00020304";

pub(crate) fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex.chars().map(|digit| digit.to_digit(16).expect("hexadecimal") as u8).collect();
    digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

/// A record of type `kind`.
pub(crate) fn record(kind: u8, fragment: &[u8]) -> Vec<u8> {
    [&[kind, 3, 1], &(fragment.len() as u16).to_be_bytes()[..], fragment].concat()
}

/// A handshake message.
pub(crate) fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    [&[kind], &(body.len() as u32).to_be_bytes()[1..], body].concat()
}

/// A field behind its length in two bytes.
pub(crate) fn counted(field: &[u8]) -> Vec<u8> {
    [&(field.len() as u16).to_be_bytes()[..], field].concat()
}

/// An extension.
pub(crate) fn extension(kind: u16, body: &[u8]) -> Vec<u8> {
    [&kind.to_be_bytes()[..], &counted(body)].concat()
}

/// `server_name` with a host name.
pub(crate) fn server_name(name: &[u8]) -> Vec<u8> {
    extension(0, &counted(&[&[0][..], &counted(name)].concat()))
}

/// ALPN with the protocols.
pub(crate) fn alpn(protocols: &[&[u8]]) -> Vec<u8> {
    let list: Vec<u8> = protocols.iter().flat_map(|name| [&[name.len() as u8][..], name].concat()).collect();
    extension(16, &counted(&list))
}

/// Numbers of two bytes each.
pub(crate) fn list(numbers: &[u16]) -> Vec<u8> {
    numbers.iter().flat_map(|number| number.to_be_bytes()).collect()
}

/// A ClientHello's message with legacy version TLS 1.2.
pub(crate) fn client_hello(ciphers: &[u16], extensions: &[u8]) -> Vec<u8> {
    let body = [&[3, 3][..], &[7; 32], &[0], &counted(&list(ciphers)), &[1, 0], &counted(extensions)].concat();
    message(1, &body)
}

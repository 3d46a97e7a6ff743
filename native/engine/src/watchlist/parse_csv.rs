//! The sensor's own CSV.

use super::IndicatorKind;
use super::build::ListBuilder;
use super::csv_header::{Header, column};
use super::csv_row::{Row, RowReader, line_bytes, locate};
use super::expiry::parse_valid_until;
use super::indicator::{Indicator, parse_port_text};
use super::listed::Listed;
use super::name::Name;
use super::reason::{Reason, Refusal};
use super::terms::{Action, Direction, Terms, has_ports};

const ICMP: u8 = 1;
const TCP: u8 = 6;
const UDP: u8 = 17;
const ICMP_FOR_IPV6: u8 = 58;

/// Another way to write `ip_port`.
const IP_PORT_AS_READ: &[u8] = b"ip:port";

/// A refusal and the field where it stands; none for the row as a whole.
type FieldRefusal = (Option<usize>, Refusal);

/// Reads all rows from byte `start` of `text` on into `list`; the header, if it was sound.
pub(super) fn parse(text: &[u8], start: usize, list: &mut ListBuilder<'_>) -> Option<Header> {
    let mut rows = Rows { text, at: start, line: 1, reader: RowReader::default(), is_clean: is_clean(text) };
    rows.skip_to_row();
    let header = rows.read_header(list)?;
    rows.skip_to_row();
    while rows.at < text.len() {
        rows.read_row(&header, list);
        rows.skip_to_row();
    }
    Some(header)
}

/// The place in the text.
struct Rows<'a> {
    text: &'a [u8],
    at: usize,
    line: usize,
    reader: RowReader,
    /// Whether no row needs to be searched for broken text and control characters.
    is_clean: bool,
}

impl Rows<'_> {
    /// Skips blank lines and comments.
    fn skip_to_row(&mut self) {
        while self.at < self.text.len() {
            let rest = &self.text[self.at..];
            // Nearly every line is told by its first byte.
            if !matches!(rest[0], b'#' | b' ' | b'\t' | b'\r' | b'\n') {
                return;
            }
            let length = line_bytes(rest);
            let content = rest[..length].trim_ascii_start();
            if !content.is_empty() && content[0] != b'#' {
                return;
            }
            self.pass(length);
        }
    }

    /// Goes on behind the next `length` bytes.
    fn pass(&mut self, length: usize) {
        let passed = &self.text[self.at..self.at + length];
        self.line += memchr::memchr_iter(b'\n', passed).count();
        self.at += length;
    }

    fn read_header(&mut self, list: &mut ListBuilder<'_>) -> Option<Header> {
        let rest = &self.text[self.at..];
        if rest.is_empty() {
            return None;
        }
        let parsed = self.reader.read(rest).map_err(|reason| (None, reason.to_string()));
        let parsed = parsed.and_then(|row| Header::parse(&row).map(|header| (header, row.source_bytes)));
        match parsed {
            Ok((header, length)) => {
                self.pass(length);
                Some(header)
            }
            Err((field, reason)) => {
                let (lines, column) = field.map_or((0, 1), |field| locate(rest, field, 0));
                list.refuse(self.line + lines, column, &reason);
                None
            }
        }
    }

    fn read_row(&mut self, header: &Header, list: &mut ListBuilder<'_>) {
        let rest = &self.text[self.at..];
        // Never above what `ListBuilder` lets in.
        let offset = self.at as u32;
        let row = match self.reader.read(rest) {
            Ok(row) => row,
            Err(reason) => {
                list.refuse(self.line, 1, &reason);
                // The end of such a row is not known; its first line cannot be right, the next may be.
                self.pass(line_bytes(rest));
                return;
            }
        };
        let source = &rest[..row.source_bytes];
        let outcome = if self.is_clean { Ok(()) } else { check_text(&row) };
        if let Err((field, refusal)) = outcome.and_then(|()| add_row(&row, header, offset, list)) {
            let told = field.filter(|_| list.tells_refused());
            let (lines, column) = told.map_or((0, 1), |field| locate(source, field, refusal.offset));
            list.refuse(self.line + lines, column, &refusal.reason);
        }
        let length = source.len();
        self.pass(length);
    }
}

/// Whether the text is UTF-8 and has no control characters but tabs and line ends.
fn is_clean(text: &[u8]) -> bool {
    // No early end, so that the compiler can test many bytes at once.
    let controls = text.iter().fold(false, |found, &byte| found | is_unwanted(byte));
    !controls && std::str::from_utf8(text).is_ok()
}

fn is_unwanted(byte: u8) -> bool {
    (byte < b' ' && !matches!(byte, b'\t' | b'\n' | b'\r')) | (byte == 0x7f)
}

fn check_text(row: &Row<'_>) -> Result<(), FieldRefusal> {
    for index in 0..row.len() {
        let field = row.field(index);
        if let Some(offset) = field.iter().position(|&byte| is_unwanted(byte)) {
            return Err((Some(index), Reason::ControlCharacter.at(offset)));
        }
        if let Err(error) = std::str::from_utf8(field) {
            return Err((Some(index), Reason::NotUtf8.at(error.valid_up_to())));
        }
    }
    Ok(())
}

fn add_row(row: &Row<'_>, header: &Header, offset: u32, list: &mut ListBuilder<'_>) -> Result<(), FieldRefusal> {
    if row.len() != header.len() {
        return Err((None, Reason::FieldCount { got: row.len(), expected: header.len() }.at(0)));
    }
    let columns = Columns { row, header };
    // The type first: it says what the indicator is read as.
    let kind = columns.read(column::TYPE, parse_type)?;
    // What nearly every row of a long list is.
    let common = Indicator::parse_common(columns.text(column::INDICATOR));
    if let (None | Some(IndicatorKind::Ip), Some(indicator)) = (kind, common) {
        return add_address(&columns, kind, indicator, (offset, list));
    }
    match columns.read(column::INDICATOR, |text| Listed::parse(text, kind))? {
        Listed::Address(indicator) => add_address(&columns, kind, indicator, (offset, list)),
        Listed::Name(name) => add_name(&columns, &name, (offset, list)),
    }
}

#[inline]
fn add_address(
    columns: &Columns<'_>,
    kind: Option<IndicatorKind>,
    mut indicator: Indicator,
    (offset, list): (u32, &mut ListBuilder<'_>),
) -> Result<(), FieldRefusal> {
    columns.read(column::TYPE, |_| check_type(kind, columns, &indicator))?;
    columns.fill(column::PORT, |text| set_port(text, &mut indicator))?;
    let mut terms = list.address_terms(&indicator);
    columns.fill(column::PROTO, |text| set_protocol(text, &indicator, &mut terms))?;
    columns.fill(column::DIRECTION, |text| parse_direction(text).map(|direction| terms.direction = direction))?;
    set_common_terms(columns, &mut terms)?;
    columns.read(column::INDICATOR, |_| list.add(&indicator, &terms, offset))
}

/// A name is met wherever it is shown: a row that asks for more would be met more often than it says.
fn add_name(
    columns: &Columns<'_>,
    name: &Name<'_>,
    (offset, list): (u32, &mut ListBuilder<'_>),
) -> Result<(), FieldRefusal> {
    for column in [column::PORT, column::PROTO] {
        columns.fill(column, |_| Err(Reason::OnlyOfAddresses.at(0)))?;
    }
    columns.fill(column::DIRECTION, |text| match parse_direction(text)? {
        Direction::Any => Ok(()),
        Direction::Out | Direction::In => Err(Reason::OnlyOfAddresses.at(0)),
    })?;
    let mut terms = list.default_terms(name.kind());
    set_common_terms(columns, &mut terms)?;
    columns.read(column::INDICATOR, |_| list.add_name(name, &terms, offset))
}

fn set_common_terms(columns: &Columns<'_>, terms: &mut Terms) -> Result<(), FieldRefusal> {
    columns.fill(column::SEVERITY, |text| parse_severity(text).map(|severity| terms.severity = severity))?;
    columns.fill(column::VALID_UNTIL, |text| parse_valid_until(text).map(|ns| terms.valid_until_ns = ns))?;
    columns.fill(column::ACTION, |text| parse_action(text).map(|action| terms.action = action))
}

/// A row's fields by column.
struct Columns<'a> {
    row: &'a Row<'a>,
    header: &'a Header,
}

impl<'a> Columns<'a> {
    /// What `read` makes of the column; an absent one is empty.
    #[inline]
    fn read<T>(&self, column: usize, read: impl FnOnce(&'a [u8]) -> Result<T, Refusal>) -> Result<T, FieldRefusal> {
        read(self.text(column)).map_err(|refusal| (self.header.field_of(column), refusal))
    }

    /// Hands the column to `set`, unless it is empty.
    #[inline]
    fn fill(&self, column: usize, set: impl FnOnce(&[u8]) -> Result<(), Refusal>) -> Result<(), FieldRefusal> {
        self.read(column, |text| if text.is_empty() { Ok(()) } else { set(text) })
    }

    fn text(&self, column: usize) -> &'a [u8] {
        self.header.field_of(column).map_or(b"", |field| self.row.field(field))
    }
}

/// The kind that the type column claims; `None` goes by content.
fn parse_type(text: &[u8]) -> Result<Option<IndicatorKind>, Refusal> {
    if text.is_empty() {
        return Ok(None);
    }
    let is_named = |kind: &IndicatorKind| kind.as_str().as_bytes().eq_ignore_ascii_case(text);
    let kind = IndicatorKind::ALL.into_iter().find(is_named);
    let alias = text.eq_ignore_ascii_case(IP_PORT_AS_READ).then_some(IndicatorKind::IpPort);
    kind.or(alias).map(Some).ok_or(Reason::UnknownType.at(0))
}

/// A type that contradicts the indicator means that one of them is wrong. A network of one address is either.
fn check_type(kind: Option<IndicatorKind>, columns: &Columns<'_>, indicator: &Indicator) -> Result<(), Refusal> {
    let text = columns.text(column::INDICATOR);
    let fits = match kind {
        Some(IndicatorKind::Ip) => indicator.network.is_host() && indicator.port.is_none(),
        Some(IndicatorKind::Cidr) => text.contains(&b'/'),
        Some(IndicatorKind::IpPort) => {
            indicator.network.is_host() && (indicator.port.is_some() || !columns.text(column::PORT).is_empty())
        }
        _ => true,
    };
    let name = kind.map_or("", IndicatorKind::as_str);
    if fits { Ok(()) } else { Err(Reason::TypeMismatch(name).at(0)) }
}

fn set_port(text: &[u8], indicator: &mut Indicator) -> Result<(), Refusal> {
    let port = parse_port_text(text)?;
    if indicator.port.is_some() && indicator.port != port {
        return Err(Reason::TwoPorts.at(0));
    }
    indicator.port = port;
    Ok(())
}

fn set_protocol(text: &[u8], indicator: &Indicator, terms: &mut Terms) -> Result<(), Refusal> {
    let icmp = if indicator.network.is_v4() { ICMP } else { ICMP_FOR_IPV6 };
    let protocol = word(text, [("tcp", TCP), ("udp", UDP), ("icmp", icmp)]).or_else(|| parse_small_number(text));
    let protocol = protocol.ok_or(Reason::UnknownProtocol.at(0))?;
    if indicator.port.is_some() && !has_ports(protocol) {
        return Err(Reason::ProtocolWithoutPorts.at(0));
    }
    terms.protocol = Some(protocol);
    Ok(())
}

fn parse_direction(text: &[u8]) -> Result<Direction, Refusal> {
    let words = [("any", Direction::Any), ("out", Direction::Out), ("in", Direction::In)];
    word(text, words).ok_or(Reason::UnknownDirection.at(0))
}

fn parse_severity(text: &[u8]) -> Result<u8, Refusal> {
    let named = word(text, [("high", 1), ("medium", 2), ("low", 3), ("info", 4)]);
    let severity = named.or_else(|| parse_small_number(text).filter(|number| (1..=4).contains(number)));
    severity.ok_or(Reason::UnknownSeverity.at(0))
}

fn parse_action(text: &[u8]) -> Result<Action, Refusal> {
    word(text, [("alert", Action::Alert), ("allow", Action::Allow)]).ok_or(Reason::UnknownAction.at(0))
}

/// What the word stands for, in capitals or not.
fn word<T: Copy, const N: usize>(text: &[u8], words: [(&str, T); N]) -> Option<T> {
    words.into_iter().find(|(word, _)| word.as_bytes().eq_ignore_ascii_case(text)).map(|(_, value)| value)
}

fn parse_small_number(text: &[u8]) -> Option<u8> {
    let is_plain = text.iter().all(u8::is_ascii_digit) && text.len() <= 3;
    std::str::from_utf8(text).ok().filter(|_| is_plain)?.parse().ok()
}

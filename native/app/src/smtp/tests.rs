use super::SmtpSession;
use crate::mail::testing::{MESSAGE, Turn, dialog, one_sided};
use crate::mail::{Delivery, Heard, MailSession, SmtpMail, Step};

fn turns(spoken: &[(bool, &str)]) -> Vec<Turn> {
    spoken.iter().map(|&(client, said)| (client, said.to_owned())).collect()
}

fn mails(heard: &[Heard]) -> Vec<&SmtpMail> {
    heard
        .iter()
        .filter_map(|heard| match heard {
            Heard::Smtp(mail) => Some(mail),
            _ => None,
        })
        .collect()
}

fn two_mails() -> Vec<Turn> {
    let text = format!("{MESSAGE}..dots\r\n.\r\n");
    turns(&[
        (false, "220 mx ESMTP\r\n"),
        (true, "EHLO pc.example\r\n"),
        (false, "250-mx\r\n250-PIPELINING\r\n250 AUTH PLAIN LOGIN\r\n"),
        (true, "AUTH LOGIN\r\n"),
        (false, "334 VXNlcm5hbWU6\r\n"),
        (true, "YW5uYQ==\r\n"),
        (false, "334 UGFzc3dvcmQ6\r\n"),
        (true, "c2VjcmV0\r\n"),
        (false, "235 ok\r\n"),
        (
            true,
            "MAIL FROM:<it@t3sec.cc> SIZE=99\r\nRCPT TO:<anna@victim.example>\r\nRCPT TO:<nobody@victim.example>\r\nDATA\r\n",
        ),
        (false, "250 ok\r\n250 ok\r\n550 no such user\r\n354 go on\r\n"),
        (true, &text),
        (false, "250 queued as 1\r\n"),
        (true, "MAIL FROM:<>\r\n"),
        (false, "250 ok\r\n"),
        (true, "RCPT TO:<anna@victim.example>\r\n"),
        (false, "250 ok\r\n"),
        (true, "DATA\r\n"),
        (false, "354 go on\r\n"),
        (true, "Subject: spam\r\n\r\nx\r\n.\r\n"),
        (false, "554 5.7.1 refused\r\n"),
        (true, "QUIT\r\n"),
        (false, "221 bye\r\n"),
    ])
}

#[test]
fn replies_find_their_commands() {
    let heard = dialog(SmtpSession::default(), &two_mails(), usize::MAX);
    let Heard::Login(login) = &heard[0] else { panic!("{heard:?}") };
    assert_eq!((&*login.user, &*login.mechanism, login.success, login.clear), ("anna", "LOGIN", Some(true), true));
    let [first, second] = mails(&heard)[..] else { panic!("{heard:?}") };
    assert_eq!((&*first.helo, &*first.user, first.mail_from.as_deref()), ("pc.example", "anna", Some("it@t3sec.cc")));
    let codes: Vec<_> = first.rcpt_to.iter().map(|recipient| (&*recipient.address, recipient.code)).collect();
    assert_eq!(codes, [("anna@victim.example", 250), ("nobody@victim.example", 550)]);
    assert_eq!(&*first.rcpt_to[1].reply, "no such user");
    assert_eq!((first.data_code, &*first.data_reply), (250, "queued as 1"));
    assert_eq!((first.status, first.delivered), (Delivery::Partly, 1));
    let message = first.message.as_ref().unwrap();
    assert_eq!((&*message.from, &*message.from_name, &*message.subject), ("it@t3sec.cc", "IT", "hello"));
    assert_eq!(
        message.urls.iter().map(|link| &*link.url).collect::<Vec<_>>(),
        ["http://211341.vhost328.cloudvhost.cn"]
    );
    assert!(message.excerpt.ends_with(" .dots") && !message.truncated, "{}", message.excerpt);
    assert_eq!((second.mail_from.as_deref(), second.status, second.delivered), (Some(""), Delivery::Refused, 0));
    assert!(!format!("{heard:?}").contains("secret") && !format!("{heard:?}").contains("c2VjcmV0"));
}

#[test]
fn it_is_told_alike_wherever_pieces_end() {
    let whole = format!("{:?}", dialog(SmtpSession::default(), &two_mails(), usize::MAX));
    for longest in 1..60 {
        assert_eq!(format!("{:?}", dialog(SmtpSession::default(), &two_mails(), longest)), whole, "{longest}");
    }
}

#[test]
fn without_the_server_replies_are_not_known() {
    let heard = one_sided(SmtpSession::default(), &two_mails(), true);
    let [first, second] = mails(&heard)[..] else { panic!("{heard:?}") };
    assert_eq!((first.rcpt_to.len(), first.data_code, first.status), (2, 0, Delivery::Unknown));
    assert_eq!(&*first.message.as_ref().unwrap().subject, "hello");
    assert_eq!(&*second.message.as_ref().unwrap().subject, "spam");
    let success = |heard: &Heard| matches!(heard, Heard::Login(login) if login.success.is_some());
    assert!(!heard.iter().any(success));
}

#[test]
fn without_the_client_nothing_is_made_up() {
    assert!(one_sided(SmtpSession::default(), &two_mails(), false).is_empty());
}

#[test]
fn chunks_make_a_message_and_all_may_come_before_the_first_reply() {
    let heard = dialog(
        SmtpSession::default(),
        &turns(&[
            (false, "220 mx\r\n"),
            (true, "EHLO a\r\n"),
            (false, "250 mx\r\n"),
            (
                true,
                "MAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\nBDAT 14\r\nSubject: x\r\n\r\nBDAT 5 LAST\r\n.\r\nab",
            ),
            (true, "MAIL FROM:<e@f.example>\r\n"),
            (false, "250 ok\r\n250 ok\r\n250 14 octets\r\n250 sent\r\n452 later\r\n"),
            (true, "QUIT\r\n"),
        ]),
        usize::MAX,
    );
    let [first, second] = mails(&heard)[..] else { panic!("{heard:?}") };
    assert_eq!((first.status, first.rcpt_to[0].code, first.data_code), (Delivery::Delivered, 250, 250));
    assert_eq!((&*first.message.as_ref().unwrap().subject, first.message.as_ref().unwrap().size_bytes), ("x", 19));
    assert_eq!(
        (second.mail_from.as_deref(), second.mail_code, second.status),
        (Some("e@f.example"), 452, Delivery::Refused)
    );
}

#[test]
fn a_server_that_refuses_everyone_gets_no_message() {
    let heard = dialog(
        SmtpSession::default(),
        &turns(&[
            (false, "220 mx\r\n"),
            (true, "HELO a\r\n"),
            (false, "250 mx\r\n"),
            (true, "MAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\nDATA\r\n"),
            (false, "250 ok\r\n550 no\r\n503 no recipients\r\n"),
            (true, "RSET\r\n"),
            (false, "250 ok\r\n"),
        ]),
        usize::MAX,
    );
    let [mail] = mails(&heard)[..] else { panic!("{heard:?}") };
    assert_eq!((mail.status, mail.data_code, mail.message.is_none()), (Delivery::Refused, 503, true));
}

#[test]
fn lmtp_answers_for_each_recipient() {
    let heard = dialog(
        SmtpSession::default(),
        &turns(&[
            (true, "LHLO a\r\n"),
            (false, "250 mx\r\n"),
            (true, "MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nRCPT TO:<e@f>\r\nDATA\r\n"),
            (false, "250 ok\r\n250 ok\r\n250 ok\r\n354 go\r\n"),
            (true, "Subject: x\r\n\r\n.\r\n"),
            (false, "550 over quota\r\n"),
            (false, "250 ok\r\n"),
        ]),
        usize::MAX,
    );
    let [mail] = mails(&heard)[..] else { panic!("{heard:?}") };
    assert_eq!((mail.status, mail.delivered), (Delivery::Partly, 1));
}

#[test]
fn a_message_with_a_hole_is_truncated() {
    let mut session = SmtpSession::default();
    let mut heard = Vec::new();
    let mut sink = |told| heard.push(told);
    session.take(true, b"EHLO a\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n", &mut sink);
    session.take(false, b"250 a\r\n250 b\r\n250 c\r\n354 d\r\n", &mut sink);
    session.take(true, b"Subject: x\r\n\r\nab", &mut sink);
    session.miss(true, 500);
    session.take(true, b"cd\r\n.\r\nMAIL FROM:<e@f>\r\n", &mut sink);
    session.take(false, b"250 sent\r\n", &mut sink);
    session.finish(&mut sink);
    let [first, second] = mails(&heard)[..] else { panic!("{heard:?}") };
    let message = first.message.as_ref().unwrap();
    assert_eq!((message.truncated, message.size_bytes, first.status), (true, 520, Delivery::Delivered));
    assert_eq!(second.mail_from.as_deref(), Some("e@f"));
}

#[test]
fn a_text_whose_end_was_not_seen_ends_with_the_servers_reply() {
    let mut session = SmtpSession::default();
    let mut heard = Vec::new();
    let mut sink = |told| heard.push(told);
    session.take(true, b"MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n", &mut sink);
    session.take(false, b"250 b\r\n250 c\r\n354 d\r\n", &mut sink);
    session.take(true, b"Subject: x\r\n\r\nab", &mut sink);
    session.miss(true, 500);
    session.take(false, b"550 no\r\n", &mut sink);
    session.take(true, b"MAIL FROM:<e@f>\r\n", &mut sink);
    session.take(false, b"250 ok\r\n", &mut sink);
    session.finish(&mut sink);
    let [first, second] = mails(&heard)[..] else { panic!("{heard:?}") };
    assert_eq!((first.status, first.message.as_ref().unwrap().truncated), (Delivery::Refused, true));
    assert_eq!((second.mail_from.as_deref(), second.mail_code), (Some("e@f"), 250));
}

#[test]
fn tls_follows_the_servers_consent_only() {
    let mut session = SmtpSession::default();
    let mut heard = Vec::new();
    session.take(true, b"EHLO a\r\nSTARTTLS\r\n", &mut |_| {});
    assert_eq!(session.take(false, b"220 mx\r\n250 mx\r\n454 not now\r\n", &mut |_| {}), Step::Continue);
    session.take(true, b"STARTTLS\r\n", &mut |_| {});
    assert_eq!(session.take(false, b"220 go\r\n\x16\x03", &mut |told| heard.push(told)), Step::Tls(2));
    let [mail] = mails(&heard)[..] else { panic!("{heard:?}") };
    assert!(mail.tls && &*mail.helo == "a");
}

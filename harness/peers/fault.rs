//! The names of the faults. Requirements name them as counterexamples; `mutant` enacts them.
//!
//! Invariant: names and sentences only, and no import of this crate: a check can name a fault without reaching what enacts it.

/// Declares the faults of one role in a table: the name, then what an implementation that has it does.
macro_rules! faults {
    ($(#[$doc:meta])* $kind:ident { $($name:ident: $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $kind {
            $(#[doc = $text] $name,)*
        }

        impl $kind {
            /// Every one of them.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// What an implementation with this fault does.
            pub fn describe(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }
        }
    };
}

/// The faults that a requirement's check must find.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Faults {
    /// Faults of senders.
    Sender(&'static [SenderFault]),
    /// Faults of receivers.
    Receiver(&'static [ReceiverFault]),
}

impl Faults {
    /// What implementations with these faults do.
    pub fn descriptions(self) -> impl Iterator<Item = &'static str> {
        let (senders, receivers): (&[SenderFault], &[ReceiverFault]) = match self {
            Self::Sender(faults) => (faults, &[]),
            Self::Receiver(faults) => (&[], faults),
        };
        senders.iter().map(|fault| fault.describe()).chain(receivers.iter().map(|fault| fault.describe()))
    }
}

faults! {
    /// One way for a sender to be wrong.
    SenderFault {
        FirstEventMissed: "a webhook becomes active only after the first event behind its registration",
        SecondWebhookForgotten: "only the webhook registered first gets an event",
        LongSecretsLeftOut: "a webhook whose secret has more than 70 bytes gets nothing",
        LargeRecordsNotSent: "events whose body is larger than 32 KiB are not sent",
        DeliveredTwice: "every event is delivered twice to each webhook",
        DeliveredAfterDeletion: "a deleted webhook goes on receiving events",
        DeletionsNotSent: "events of deleted records are not sent",
        CustomObjectsNotSent: "events of custom objects are not sent",
        FiltersIgnored: "a webhook with a filter receives every event",
        WildcardsNotUnderstood: "a filter is held against the event's name letter by letter, so that person.* matches nothing",
        MetadataNotMatched: "the filter *.* does not match events of metadata",
        MethodPut: "the request method is PUT",
        MethodGet: "the request method is GET",
        LengthDoubled: "a delivery is tried with two Content-Length headers first, and then with one",
        LengthAndCoding: "a delivery is tried with Content-Length and Transfer-Encoding first, and then with the length alone",
        QueryDropped: "the query of the registered URL is dropped",
        HttpsHostChanged: "the host of an https URL is replaced by another name of the same machine",
        HttpsDowngraded: "a delivery to an https URL is sent over plain http",
        SlashAppended: "a slash is put behind the registered path",
        ByteOrderMark: "a byte-order mark stands before the body",
        FormEncoded: "the body is form-encoded",
        BodyInLatin1: "the body is in Latin-1",
        TextPlain: "the body is declared as text/plain",
        BodyInArray: "the body is an array that holds the event",
        EventsBatched: "persons that are created at the same time are sent in one request",
        SentLate: "a delivery starts after the deadline",
        OneHangBlocksAll: "deliveries are sent one after another, whatever endpoint they go to",
        EventNameUppercase: "the event is named in the form PERSON_CREATED",
        EventNameWrong: "every event is named as an update",
        NullsDropped: "members that are null are left out of the record",
        NumbersAsText: "numbers in the record are sent as text",
        TextMangled: "characters beyond ASCII in the record are sent as question marks",
        NestingCutOff: "what is nested deeper than 16 levels in the record is sent as null",
        LongNumbersRounded: "numbers in the record go through a double",
        TimestampMissing: "the body has no timestamp",
        TimestampLocal: "the body's timestamp is in local time, with an offset",
        TimestampEpoch: "the body's timestamp is a number of milliseconds",
        TimestampStale: "the body's timestamp is from an hour before the event",
        TimestampAhead: "the body's timestamp is an hour ahead",
        MembersRenamed: "the record's member has another name",
        RecordShapeChanged: "a member of the record that was not given is sent with it",
        SignatureMissing: "no signature header is sent",
        SignatureDoubled: "the signature header is sent twice",
        SignatureRenamed: "the signature is sent in X-Webhook-Signature",
        TimestampHeaderMissing: "no timestamp header is sent",
        TimestampHeaderDoubled: "the timestamp header is sent twice",
        TimestampHeaderRenamed: "the timestamp is sent in X-Webhook-Timestamp",
        SignatureBase64: "the signature is base64",
        SignatureBase64Url: "the signature is base64 for URLs",
        SignaturePrefixed: "the signature has `sha256=` before it",
        SignatureTruncated: "the signature is cut to 32 digits",
        SignatureUppercase: "the signature has uppercase digits",
        SignsBodyAlone: "the signature covers the body alone",
        SignsWithDot: "a dot stands between timestamp and body in the signed text",
        SignsTwiceStringified: "the signed text holds the body stringified twice",
        SignsHexDecodedKey: "the secret is decoded from hexadecimal before it keys the signature",
        KeyCutAt64Bytes: "of a secret of more than 64 bytes the first 64 are the key",
        SignsTrimmedKey: "white space at the ends of the secret is cut off before it keys the signature",
        SignsSeconds: "the signed text holds the timestamp in seconds, the header in milliseconds",
        SignsOtherTimestamp: "the clock is read once for the signature and once more for the header",
        SignsCompactSendsSpaced: "the body is signed without white space, and sent with a space behind each colon and comma",
        SignsSorted: "the body is signed with its members in the order of their names, and sent in another",
        SignsSha1: "the signature is HMAC-SHA1",
        SignsSha512: "the signature is HMAC-SHA512",
        SignsUnkeyed: "the signature is a plain SHA-256, without a key",
        SignsHexKeyBodyAlone: "the signature covers the body alone, under the secret decoded from hexadecimal",
        TimestampHeaderSeconds: "the timestamp header is in seconds",
        TimestampHeaderIso: "the timestamp header is an ISO date",
        TimestampHeaderStale: "the timestamp header is from an hour ago",
        KeyOfAnotherWebhook: "deliveries are signed under the secret of the webhook registered last",
        RetriesUnsigned: "a further attempt is not signed",
        RetriesWithOldSignature: "a further attempt has a new timestamp, and the signature of the first attempt",
        SignsWithoutSecret: "a delivery to a webhook without a secret is signed under the empty key",
        SecretInHeader: "the secret is sent along in a header",
        SecretInBody: "the secret is sent along in the body",
        ResentAfterAcknowledgement: "a delivery that was answered 2xx other than 200 is sent again",
        Only200Acknowledges: "of the 2xx statuses only 200 is reported as delivered",
        OnlyCommon2xxAcknowledge: "of the 2xx statuses only 200, 201 and 204 are reported as delivered",
        RedirectAcknowledges: "a redirect is reported as delivered",
        RedirectFollowed: "a redirect is followed, and its answer is reported as delivered",
        RedirectFollowedAsGet: "a redirect is followed with a GET, whose answer is reported as the delivery's",
        RedirectFollowedUncounted: "a redirect is followed, and the delivery is reported as not delivered all the same",
        ErrorsAcknowledge: "an error status is reported as delivered",
        ClientErrorsAcknowledge: "a status from 400 to 499 is reported as delivered",
        ResetAcknowledges: "a delivery whose connection was reset is reported as delivered",
        ClosingAcknowledges: "a delivery whose connection was closed in place of an answer is reported as delivered",
        RefusalAcknowledges: "a delivery whose connection was refused is reported as delivered",
        SilenceAcknowledges: "a delivery that was not answered in time is reported as delivered",
        HandshakeAcknowledges: "a delivery whose TLS handshake failed is reported as delivered",
        FirstLineAcknowledges: "the first status line is taken for the answer, whatever comes behind it",
        StopsAfterFailure: "a webhook gets no further event once a delivery to it was not answered",
        CrashesOnRefusal: "a connection that is refused ends the sender",
        CrashesOnCertificate: "a certificate that is not taken ends the sender",
        AnyCertificateTaken: "certificates are not looked at",
        RetriesWithoutEnd: "a delivery that was answered 5xx is sent again and again",
        RetriesWithoutPause: "a delivery that was answered 5xx is sent again at once, five times",
        RetriesWithOtherData: "a further attempt carries other data than the first",
        AnswerMustBeJson: "an answer other than 204 whose body is no JSON is taken for a failure",
        ErrorInAnswerIsFailure: "an answer whose body speaks of an error is taken for a failure",
        AnswerReadToItsEnd: "an answer counts only once its body has ended",
        WaitsTooShort: "an answer is waited for for 600 ms",
        WaitsForEver: "an answer is waited for without end",
        InterimIsTheAnswer: "an interim 1xx is taken for the answer",
        NonceConstant: "every request has the same nonce",
        NonceMissing: "no nonce is sent",
    }
}

faults! {
    /// One way for a receiver to be wrong.
    ReceiverFault {
        RefusesEverything: "every delivery is refused",
        RefusesDeletions: "deliveries of deleted records are refused",
        VerifiesBodyAlone: "the signature is expected over the body alone",
        VerifiesWithDot: "a dot is expected between timestamp and body",
        VerifiesTwiceStringified: "the signature is expected over the body stringified twice",
        VerifiesHexDecodedKey: "the secret is decoded from hexadecimal before it keys the signature",
        VerifiesSha1: "HMAC-SHA1 is expected",
        VerifiesSeconds: "the signature is expected with the timestamp in seconds",
        RefusesUnknownEvents: "events and objects that are not on a list are refused",
        RefusesUnknownMembers: "a body with members that are not on a list is refused",
        HeaderNamesCaseSensitive: "header names are matched as the documentation spells them",
        AnswersLate: "the answer comes later than 5 s",
        OneAtATime: "a second delivery at the same time is answered 503",
        OnlyThirtyAtATime: "of more than 30 deliveries at the same time, those over 30 are answered 503",
        IgnoresAlteredValues: "a value changed under the old signature is not noticed",
        IgnoresAddedMembers: "members added under the old signature are not noticed",
        StripsSecretMember: "a member named `secret` is taken out before the signature is checked",
        AcceptsCutBody: "a body that is cut short is taken under the old signature",
        RemembersSignatures: "a signature that was seen before is taken under any timestamp",
        ReprintsTimestamp: "the timestamp is read as a number and printed again before it is hashed",
        AcceptsDefaultSecret: "a signature under a built-in default secret is taken too",
        AcceptsEmptyKey: "a signature under the empty key is taken too",
        AcceptsHexDecodedKey: "a signature under the secret decoded from hexadecimal is taken too",
        AcceptsCaseFoldedKey: "a signature under the secret in lower case is taken too",
        AcceptsMissingSignature: "a request without a signature header is taken",
        AcceptsEmptySignature: "a request with an empty signature header is taken",
        AcceptsMissingTimestamp: "a request without a timestamp is taken",
        AcceptsEmptyTimestamp: "a delivery signed under an empty timestamp is accepted",
        AcceptsBodyAlone: "a signature over the body alone is taken too",
        AcceptsTimestampAlone: "a signature over the timestamp alone is taken too",
        AcceptsDot: "a signature with a dot for the colon is taken too",
        AcceptsTwiceStringified: "a signature over the body stringified twice is taken too",
        AcceptsAnySignatureOnce: "a signature of any delivery is taken for any other at the same time",
        AcceptsSha1: "a signature by HMAC-SHA1 is taken too",
        AcceptsUnkeyed: "a plain SHA-256 is taken too",
        AcceptsBase64: "a signature in base64 is taken too",
        AcceptsPrefix: "a signature that is cut short is taken too",
        AcceptsZeros: "64 zeros are taken too",
        RefusesCharset: "a content type with a parameter is refused",
        RefusesChunked: "a body without a length is refused",
        DecodesEachChunk: "each chunk of the body is decoded as text by itself",
        LimitsTo100Kilobytes: "a body of more than 100 kB is refused, with 413",
        LimitsTo512Kibibytes: "a body of more than 512 KiB is refused, with 413",
        TruncatesLargeBodies: "a body is cut at 100 kB, and its signature then refused with 401",
        RefusesRepeats: "content that was taken in before is refused with 409",
        AcceptsTrailing: "characters behind the 64 digits are ignored",
        AcceptsShaPrefix: "`sha256=` before the digits is taken off",
        TakesFirstSignature: "of two signature headers the first counts",
        TakesLastSignature: "of two signature headers the last counts",
        ThrowsOnLength: "a signature of another length is answered 500",
        ThrowsOnHeaderBytes: "a signature with bytes beyond ASCII is answered 500",
        ThrowsOnTimestamp: "a timestamp that is no number is answered 500",
        VerifiesKeyWithNewline: "the secret is used with the line feed that stands behind it in a file",
        VerifiesDefaultSecret: "the secret was never read, and a built-in default is used",
        ClosesOnRefusal: "the connection is closed in place of a refusal",
        RefusesWith500: "every refusal is a 500",
        AcceptsAnyTimestamp: "a timestamp that is no number is not held against the window",
        AcceptsNaN: "a timestamp NaN passes the window",
        NoWindow: "the age of a delivery is not looked at",
        WindowOnPastOnly: "a delivery from the future is taken",
        AcceptsSeconds: "a timestamp in seconds is taken too",
        WindowTooSmall: "a delivery that is more than five seconds off is refused",
        AcknowledgesMalformed: "a signed body that is no delivery is answered 200",
        BreaksOnMalformed: "a signed body that is no delivery is answered 500",
        AcknowledgesWrongTypes: "a signed body whose `event` is no text, or whose record is no object, is answered 200",
        AcceptsOtherMethods: "the request method is not looked at",
        TrustsForwardedFor: "a request that claims to come from a local address is taken unsigned",
        AcceptsSecretAsHeader: "the secret itself in a header is taken for a signature",
        AcceptsPing: "an unsigned ping is acknowledged",
        ParsesFirst: "a body that cannot be parsed is answered 400 before its signature is looked at",
        RefusesControlCharacters: "text with control characters is refused",
        RefusesDeepNesting: "a body nested deeper than 32 levels is refused",
        HashesAsJavascript: "the signature is checked over the parsed body, printed again by JSON.stringify",
        HashesAsPython: "the signature is checked over the parsed body, printed again by json.dumps",
        HashesAsPythonCompact: "the signature is checked over the parsed body, printed again by a compact json.dumps",
        HashesAsGo: "the signature is checked over the parsed body, printed again by Go's json.Marshal",
        HashesAsPhp: "the signature is checked over the parsed body, printed again by json_encode",
        HashesSorted: "the signature is checked over the parsed body, printed again with sorted keys",
        HashesPretty: "the signature is checked over the parsed body, printed again with indentation",
        FallsBackToReserialised: "where the raw body does not match, the parsed body, printed again, may",
        ReadsSeconds: "the timestamp header is held against the window as if it were seconds",
        ReadsOtherHeader: "the signature is looked for in X-Webhook-Signature",
        RequiresShaPrefix: "the signature is expected with `sha256=` before it",
        ExpectsUppercase: "the signature is expected in uppercase digits",
        VerifiesHexKeyBodyAlone: "the signature is expected over the body alone, under the secret decoded from hexadecimal",
        ComparesPrefix: "the first eight digits of the signature are compared and no others",
        ComparesDigitByDigit: "the comparison takes longer the more digits are right",
        RefusesInBody: "a refusal is a 200 with an error in its body",
        LeaksExpectedSignature: "a refusal's answer quotes the signature that would have been accepted",
        LeaksSecret: "a refusal's answer quotes the secret",
        RefusesLoneSurrogates: "a body with a lone surrogate is refused",
        RefusesOtherDialect: "a body in the other dialect's form is refused",
        DropsDeliveries: "what is acknowledged is not taken in",
        TakesInRefused: "what is refused is taken in all the same",
        DedupesNothing: "the same delivery is taken in each time",
        DedupesOnConstant: "everything behind the first delivery is taken for a repetition of it",
        DedupesOnRecord: "events of the same record are taken for repetitions",
        DedupesOnNonce: "a delivery with another nonce is taken for another one",
        MarksBeforeVerifying: "a body is remembered as taken in before it was verified",
        MisreadsOtherDialect: "a body in the other dialect's form is acknowledged and not taken in",
        AcceptsEverything: "every request is acknowledged",
    }
}

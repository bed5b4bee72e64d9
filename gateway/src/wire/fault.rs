//! What is wrong with bytes that never become a request.

use http::StatusCode;

macro_rules! faults {
    ($($(#[$doc:meta])* $name:ident = $code:literal $status:ident;)*) => {
        /// Why a connection's bytes are not handed on. The code is stable, for metrics, audit and JSON.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[repr(u8)]
        pub enum WireFault {
            $($(#[$doc])* $name,)*
        }

        impl WireFault {
            /// Every fault there is.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// A stable code.
            pub fn code(self) -> &'static str {
                match self {
                    $(Self::$name => $code,)*
                }
            }

            /// What the visitor is answered.
            pub fn status(self) -> StatusCode {
                match self {
                    $(Self::$name => StatusCode::$status,)*
                }
            }
        }
    };
}

faults! {
    /// The head is larger than the limit.
    HeadTooLarge = "header_too_large" REQUEST_HEADER_FIELDS_TOO_LARGE;
    /// More header lines than the limit.
    TooManyHeaders = "too_many_headers" REQUEST_HEADER_FIELDS_TOO_LARGE;
    /// The head was not there in time.
    HeadTooSlow = "header_too_slow" REQUEST_TIMEOUT;
    /// The body was not there in time, or came too slowly.
    BodyTooSlow = "body_too_slow" REQUEST_TIMEOUT;
    /// The visitor takes the answer too slowly.
    AnswerTooSlow = "answer_too_slow" REQUEST_TIMEOUT;
    /// The visitor stopped sending in the middle of the head.
    HeadIncomplete = "header_incomplete" BAD_REQUEST;
    /// A line that ends with LF or CR alone: some servers see two lines there, some one.
    LineEnd = "line_end_malformed" BAD_REQUEST;
    /// Not exactly a method, a target and a version with one space between each.
    RequestLine = "request_line_malformed" BAD_REQUEST;
    /// Neither HTTP/1.1 nor HTTP/1.0.
    Version = "version_not_supported" BAD_REQUEST;
    /// CONNECT.
    Connect = "method_not_allowed" METHOD_NOT_ALLOWED;
    /// A target in another than origin form, or in absolute form for another host.
    TargetForm = "target_form_not_supported" BAD_REQUEST;
    /// A byte that no target has.
    TargetByte = "target_byte_not_allowed" BAD_REQUEST;
    /// A header line without a name, with a byte no name has, or with blanks before its colon.
    HeaderName = "header_name_malformed" BAD_REQUEST;
    /// A control byte in a header's value.
    HeaderValue = "header_value_malformed" BAD_REQUEST;
    /// A header line that goes on in the next one.
    HeaderFolded = "header_folded" BAD_REQUEST;
    /// A header that CGI folds into one that frames the message: `Content_Length`, `Transfer.Encoding`.
    HeaderTwin = "header_twin" BAD_REQUEST;
    /// No `Host`.
    HostMissing = "host_missing" BAD_REQUEST;
    /// More than one `Host`, or one that no host has.
    Host = "host_malformed" BAD_REQUEST;
    /// Not exactly one plain number.
    ContentLength = "content_length_malformed" BAD_REQUEST;
    /// Not exactly one `chunked`, or one in HTTP/1.0.
    TransferEncoding = "transfer_encoding_malformed" BAD_REQUEST;
    /// Both of them.
    LengthAndEncoding = "content_length_with_transfer_encoding" BAD_REQUEST;
    /// A chunk that is not a plain hexadecimal length, CRLF, the bytes and CRLF.
    Chunk = "chunk_malformed" BAD_REQUEST;
    /// An `Expect` that is not `100-continue`.
    Expect = "expectation_not_supported" EXPECTATION_FAILED;
    /// The next request was read while the last one's body was not over.
    OutOfStep = "body_out_of_step" BAD_REQUEST;
    /// More HTTP/2 control frames than anybody needs.
    Http2Flood = "http2_flood" TOO_MANY_REQUESTS;
    /// An HTTP/2 request that was reset because it breaks the protocol.
    Http2Request = "http2_request_malformed" BAD_REQUEST;
    /// An HTTP/2 connection that breaks the protocol.
    Http2Connection = "http2_connection_malformed" BAD_REQUEST;
    /// A declared proxy did not begin with a PROXY protocol header that can be read, or not in time.
    ProxyHeader = "proxy_header_malformed" BAD_REQUEST;
    /// A declared proxy said that it cannot tell, or does not tell, whose connection it passes on.
    VisitorUnknown = "address_unknown" BAD_REQUEST;
    /// A HEAD with a body.
    StrayBody = "body_not_expected" BAD_REQUEST;
    /// The machine has no room for more requests at once.
    Busy = "too_busy" SERVICE_UNAVAILABLE;
}

impl WireFault {
    /// A number by which [`Self::from_number`] finds it again; never 0.
    pub fn number(self) -> u8 {
        self as u8 + 1
    }

    /// The fault of this number; `None` for 0, which is none.
    pub fn from_number(number: u8) -> Option<Self> {
        let place = usize::from(number).checked_sub(1)?;
        Self::ALL.get(place).copied()
    }

    /// Whether this is somebody's broken or hostile program rather than a slow line or a large cookie.
    pub fn is_malformed(self) -> bool {
        !matches!(
            self,
            Self::HeadTooLarge
                | Self::TooManyHeaders
                | Self::HeadTooSlow
                | Self::BodyTooSlow
                | Self::AnswerTooSlow
                | Self::HeadIncomplete
                | Self::Expect
                | Self::Busy
                | Self::VisitorUnknown
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_is_found_by_its_number_and_has_a_code_of_its_own() {
        let mut codes: Vec<_> = WireFault::ALL.iter().map(|fault| fault.code()).collect();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), WireFault::ALL.len());
        for fault in WireFault::ALL {
            assert_eq!(WireFault::from_number(fault.number()), Some(*fault));
            assert!(fault.status().is_client_error() || *fault == WireFault::Busy);
        }
        assert_eq!(WireFault::from_number(0), None);
    }
}

//! What is wrong with bytes that never become a request.

use http::StatusCode;

macro_rules! faults {
    ($($(#[$doc:meta])* $name:ident = $number:literal $code:literal $status:ident;)*) => {
        /// Why a connection's bytes are not handed on. The code is stable, for metrics, audit and JSON.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[repr(u8)]
        pub enum WireFault {
            $($(#[$doc])* $name = $number,)*
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
    HeadTooLarge = 1 "header_too_large" REQUEST_HEADER_FIELDS_TOO_LARGE;
    /// More header lines than the limit.
    TooManyHeaders = 2 "too_many_headers" REQUEST_HEADER_FIELDS_TOO_LARGE;
    /// The head was not there in time.
    HeadTooSlow = 3 "header_too_slow" REQUEST_TIMEOUT;
    /// The body was not there in time, or came too slowly.
    BodyTooSlow = 4 "body_too_slow" REQUEST_TIMEOUT;
    /// The visitor stopped sending in the middle of the head.
    HeadIncomplete = 5 "header_incomplete" BAD_REQUEST;
    /// A line that ends with LF or CR alone: some servers see two lines there, some one.
    LineEnd = 6 "line_end_malformed" BAD_REQUEST;
    /// Not exactly a method, a target and a version with one space between each.
    RequestLine = 7 "request_line_malformed" BAD_REQUEST;
    /// Neither HTTP/1.1 nor HTTP/1.0.
    Version = 8 "version_not_supported" BAD_REQUEST;
    /// CONNECT.
    Connect = 9 "method_not_allowed" METHOD_NOT_ALLOWED;
    /// A target in another than origin form, or in absolute form for another host.
    TargetForm = 10 "target_form_not_supported" BAD_REQUEST;
    /// A byte that no target has.
    TargetByte = 11 "target_byte_not_allowed" BAD_REQUEST;
    /// A header line without a name, with a byte no name has, or with blanks before its colon.
    HeaderName = 12 "header_name_malformed" BAD_REQUEST;
    /// A control byte in a header's value.
    HeaderValue = 13 "header_value_malformed" BAD_REQUEST;
    /// A header line that goes on in the next one.
    HeaderFolded = 14 "header_folded" BAD_REQUEST;
    /// A header that CGI folds into one that frames the message: `Content_Length`, `Transfer.Encoding`.
    HeaderTwin = 15 "header_twin" BAD_REQUEST;
    /// No `Host`.
    HostMissing = 16 "host_missing" BAD_REQUEST;
    /// More than one `Host`, or one that no host has.
    Host = 17 "host_malformed" BAD_REQUEST;
    /// Not exactly one plain number.
    ContentLength = 18 "content_length_malformed" BAD_REQUEST;
    /// Not exactly one `chunked`, or one in HTTP/1.0.
    TransferEncoding = 19 "transfer_encoding_malformed" BAD_REQUEST;
    /// Both of them.
    LengthAndEncoding = 20 "content_length_with_transfer_encoding" BAD_REQUEST;
    /// A chunk that is not a plain hexadecimal length, CRLF, the bytes and CRLF.
    Chunk = 21 "chunk_malformed" BAD_REQUEST;
    /// An `Expect` that is not `100-continue`.
    Expect = 22 "expectation_not_supported" EXPECTATION_FAILED;
    /// The next request was read while the last one's body was not over.
    OutOfStep = 23 "body_out_of_step" BAD_REQUEST;
    /// More HTTP/2 control frames than anybody needs.
    Http2Flood = 24 "http2_flood" TOO_MANY_REQUESTS;
    /// An HTTP/2 request that was reset because it breaks the protocol.
    Http2Request = 25 "http2_request_malformed" BAD_REQUEST;
    /// An HTTP/2 connection that breaks the protocol.
    Http2Connection = 26 "http2_connection_malformed" BAD_REQUEST;
    /// A declared proxy did not begin with a PROXY protocol header that can be read, or not in time.
    ProxyHeader = 27 "proxy_header_malformed" BAD_REQUEST;
    /// A HEAD with a body.
    StrayBody = 29 "body_not_expected" BAD_REQUEST;
    /// The machine has no room for more requests at once.
    Busy = 28 "too_busy" SERVICE_UNAVAILABLE;
}

impl WireFault {
    /// The fault of this number; `None` for 0, which is none.
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.iter().copied().find(|fault| *fault as u8 == number)
    }

    /// Whether this is somebody's broken or hostile program rather than a slow line or a large cookie.
    pub fn is_malformed(self) -> bool {
        !matches!(
            self,
            Self::HeadTooLarge
                | Self::TooManyHeaders
                | Self::HeadTooSlow
                | Self::BodyTooSlow
                | Self::HeadIncomplete
                | Self::Expect
                | Self::Busy
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
            assert_eq!(WireFault::from_number(*fault as u8), Some(*fault));
            assert!(fault.status().is_client_error() || *fault == WireFault::Busy);
        }
        assert_eq!(WireFault::from_number(0), None);
    }
}

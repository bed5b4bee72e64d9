//! What one is shown by: a picture, sent once and kept as it is.

use axum::extract::Request;
use axum::http::{StatusCode, header};
use axum::response::Response;
use stagedoor_identity::picture::{Picture, PictureFault};

use super::page::OwnPicturePage;
use super::{done, own_fields, own_form, sign_in_first};
use crate::carried::Done;
use crate::forgery::{self, Bond};
use crate::halt::Halt;
use crate::parts::Parts;
use crate::told::Told;
use crate::visit::{SignedIn, Visit};

/// The path below the prefix.
pub(crate) const PAGE: &str = "profile/picture";

const EMPTY: &str = "Please choose a picture first.";
const UNKNOWN: &str = "This is no whole PNG, JPEG or WebP picture. Please choose another file.";

/// `GET profile/picture`.
pub(crate) async fn show(visit: Visit) -> Response {
    let answer = match visit.signed_in() {
        Some(signed_in) => picture_page(&visit, signed_in, StatusCode::OK, None).await,
        None => sign_in_first(&visit, PAGE),
    };
    visit.finish(answer)
}

/// `POST profile/picture`.
pub(crate) async fn submit(visit: Visit, request: Request) -> Response {
    let answer = set(&visit, request).await;
    visit.finish(answer)
}

/// `POST profile/picture/remove`.
pub(crate) async fn remove(visit: Visit, request: Request) -> Response {
    let answer = match own_fields(&visit, request).await {
        Ok((signed_in, _)) => keep(&visit, signed_in, None).await,
        Err(halt) => Err(halt),
    };
    visit.finish(answer)
}

async fn set(visit: &Visit, request: Request) -> Result<Response, Halt> {
    let signed_in = visit.signed_in().ok_or(Halt::SignInFirst)?;
    let bytes_max = visit.caller.picture_bytes_max;
    if bytes_max == 0 {
        return Err(Halt::NotFound);
    }
    let read = if visit.caller.body_too_large {
        Err(PictureFault::TooLarge(bytes_max))
    } else {
        let parts = parts(visit, request).await?;
        let bond = Bond::of_session(signed_in.session.id());
        visit
            .check_form(Some(&bond), parts.text("csrf").unwrap_or_default())
            .await?;
        let bytes = parts.bytes("picture").ok_or(Halt::Malformed)?;
        Picture::read(bytes.to_vec(), bytes_max)
    };
    match read {
        Ok(picture) => keep(visit, signed_in, Some(picture)).await,
        Err(fault) => {
            let (status, sentence) = told(fault);
            picture_page(visit, signed_in, status, Some(sentence)).await
        }
    }
}

/// The fields of the form; nothing that another site sent is looked at.
async fn parts(visit: &Visit, request: Request) -> Result<Parts, Halt> {
    if !forgery::may_be_ours(&visit.caller, &visit.headers) {
        return Err(Halt::Forged);
    }
    let content_type = visit
        .headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    let content_type = content_type.filter(|value| value.to_ascii_lowercase().starts_with("multipart/form-data"));
    let content_type = content_type.ok_or(Halt::WrongType)?;
    let limit = crate::body_bytes_max(PAGE, visit.caller.picture_bytes_max).unwrap_or_default();
    let body = axum::body::to_bytes(request.into_body(), limit).await;
    let body = body.map_err(|_| Halt::TooLarge)?;
    Parts::read(content_type, &body).ok_or(Halt::Malformed)
}

async fn keep(visit: &Visit, signed_in: &SignedIn, picture: Option<Picture>) -> Result<Response, Halt> {
    let door = &visit.portal.door;
    let said = if picture.is_some() {
        Done::PictureSet
    } else {
        Done::PictureRemoved
    };
    match door.set_own_picture(&signed_in.session, picture, &visit.origin()).await {
        Ok(()) => done(visit, signed_in, said).await,
        Err(fault) => {
            let told = Told::of(visit, fault)?;
            let (status, sentence) = (told.status, told.sentences().into_iter().next());
            picture_page(visit, signed_in, status, sentence).await
        }
    }
}

fn told(fault: PictureFault) -> (StatusCode, String) {
    match fault {
        PictureFault::Empty => (StatusCode::UNPROCESSABLE_ENTITY, EMPTY.to_owned()),
        PictureFault::Unknown => (StatusCode::UNPROCESSABLE_ENTITY, UNKNOWN.to_owned()),
        PictureFault::TooLarge(bytes_max) => (
            StatusCode::PAYLOAD_TOO_LARGE,
            format!(
                "This picture is too large: at most {} are taken. Please choose a smaller one.",
                size(bytes_max)
            ),
        ),
    }
}

/// `256 KiB`.
fn size(bytes: usize) -> String {
    const KIB: usize = 1024;
    if bytes.is_multiple_of(KIB * KIB) {
        format!("{} MiB", bytes / (KIB * KIB))
    } else if bytes.is_multiple_of(KIB) {
        format!("{} KiB", bytes / KIB)
    } else {
        format!("{bytes} bytes")
    }
}

async fn picture_page(
    visit: &Visit,
    signed_in: &SignedIn,
    status: StatusCode,
    error: Option<String>,
) -> Result<Response, Halt> {
    if visit.caller.picture_bytes_max == 0 {
        return Err(Halt::NotFound);
    }
    let (token, _) = own_form(visit, signed_in).await?;
    let page = OwnPicturePage {
        look: visit.look(),
        token,
        picture: visit.picture(signed_in.session.account().id).await?,
        at_most: size(visit.caller.picture_bytes_max),
        error,
    };
    visit.page(status, &page)
}

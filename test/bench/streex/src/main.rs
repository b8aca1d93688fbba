//! streex as its documentation sets it up: one store, served over HTTP. Keys are strings; values are JSON that is neither parsed nor
//! written anew, as Latchkey does it by default.
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;
use streex::SingleStoreApp;

#[derive(Clone, Debug, Default)]
struct Json(String);

impl TryFrom<Vec<u8>> for Json {
    type Error = std::string::FromUtf8Error;
    fn try_from(bytes: Vec<u8>) -> Result<Self, Self::Error> {
        String::from_utf8(bytes).map(Json)
    }
}

impl From<Json> for Vec<u8> {
    fn from(json: Json) -> Self {
        json.0.into_bytes()
    }
}

impl Serialize for Json {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // SAFETY: RawValue is a transparent str. Its checked constructor would parse each value.
        let raw: &RawValue = unsafe { std::mem::transmute(self.0.as_str()) };
        raw.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Box::<RawValue>::deserialize(deserializer).map(|raw| Json(raw.get().to_owned()))
    }
}

#[tokio::main]
async fn main() {
    let app = SingleStoreApp::<String, Json>::new().await;
    app.start().await.expect("serving");
}

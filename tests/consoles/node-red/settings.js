// Node-RED as a console under test: on loopback, nothing fetched, nothing asked, no log-in of its own.
module.exports = {
    uiHost: "127.0.0.1",
    uiPort: process.env.PORT,
    httpAdminRoot: "/red",
    httpNodeRoot: "/served",
    telemetry: { enabled: false },
    editorTheme: { tours: false, palette: { catalogues: [] }, codeEditor: { lib: "ace" } },
    externalModules: { palette: { allowInstall: false } },
    logging: { console: { level: "info" } },
};

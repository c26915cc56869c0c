/// A page as one HTML file that needs nothing beside itself: styles inline, pictures as data URIs, no script. Its content
/// policy forbids both scripts and the network, so that even a text that escaped escaping could do nothing.
struct HTMLPage {
    /// As it is shown; escaped here.
    var title: String
    /// Markup, whose texts were escaped.
    var body: String
    /// The program that made it.
    var maker: String

    var html: String {
        """
        <!doctype html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta name="generator" content="Sightline \(maker)">
        <meta http-equiv="Content-Security-Policy" \
        content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
        <title>\(escaped(title)) · Sightline</title>
        <style>
        \(Stylesheet.css)</style>
        </head>
        <body>
        <h1>\(escaped(title))</h1>
        \(body)<footer>Made by Sightline's \(maker).</footer>
        </body>
        </html>

        """
    }
}

/// Short facts under a title.
func factList(_ facts: [(name: String, value: String)]) -> String {
    guard !facts.isEmpty else { return "" }
    let items = facts.map { "<div><dt>\(escaped($0.name))</dt><dd>\(escaped($0.value))</dd></div>" }
    return "<dl class=\"facts\">\(items.joined())</dl>\n"
}

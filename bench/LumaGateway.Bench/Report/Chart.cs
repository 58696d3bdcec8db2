using System.Text;

namespace LumaGateway.Bench.Report;

/// <summary>One measured point.</summary>
internal readonly record struct Point(double X, Spread Y);

/// <summary>
/// One curve as SVG, with the least and the most of each point. The vertical axis begins at zero, so that a slope looks as steep as it is. Colours follow
/// the reader's light or dark scheme; there is no background.
/// </summary>
internal static class Chart
{
    private const int Width = 720;
    private const int Height = 320;
    private const int Left = 64;
    private const int Right = 24;
    private const int Top = 48;
    private const int Bottom = 52;
    private const int Steps = 4;

    /// <summary>Quarters of these are short numbers.</summary>
    private static readonly int[] Ceilings = [1, 2, 4, 8, 10];

    public static string Draw(string title, string across, string up, IReadOnlyList<Point> points, bool isLogarithmic)
    {
        var top = Ceiling(points.Max(point => point.Y.Most));
        var (first, last) = (At(points[0].X), At(points[^1].X));
        var svg = new StringBuilder($$"""
            <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {{Width}} {{Height}}" font-family="system-ui, sans-serif" font-size="13" role="img" aria-label="{{title}}">
            <style>
              text { fill: #333 } .grid { stroke: #ddd } .curve { stroke: #1668b8; fill: none; stroke-width: 2 } .spread { stroke: #1668b8; opacity: .5 } .point { fill: #1668b8 }
              @media (prefers-color-scheme: dark) { text { fill: #ddd } .grid { stroke: #444 } .curve, .spread { stroke: #6cb2f5 } .point { fill: #6cb2f5 } }
            </style>
            <text x="{{Left}}" y="20" font-size="15" font-weight="600">{{title}}</text>
            <text x="{{Left}}" y="38">{{up}}</text>
            <text x="{{(Left + Width - Right) / 2}}" y="{{Height - 8}}" text-anchor="middle">{{across}}</text>

            """);
        for (var step = 0; step <= Steps; step++)
        {
            var value = top * step / Steps;
            Line($"""<line class="grid" x1="{Left}" x2="{Width - Right}" y1="{Y(value)}" y2="{Y(value)}"/><text x="{Left - 8}" y="{Y(value)}" dy="4" text-anchor="end">{Number.In("0.##", value)}</text>""");
        }

        foreach (var (x, y) in points)
        {
            Line($"""<text x="{X(x)}" y="{Height - Bottom + 20}" text-anchor="middle">{Number.In("#,0", x)}</text>""");
            Line($"""<line class="spread" x1="{X(x)}" x2="{X(x)}" y1="{Y(y.Least)}" y2="{Y(y.Most)}"/><circle class="point" cx="{X(x)}" cy="{Y(y.Median)}" r="3.5"/>""");
        }

        Line($"""<polyline class="curve" points="{string.Join(' ', points.Select(point => $"{X(point.X)},{Y(point.Y.Median)}"))}"/>""");
        Line("</svg>");
        return svg.ToString();

        void Line(string text) => svg.Append(text).Append('\n');

        double At(double x) => isLogarithmic ? Math.Log10(x) : x;

        string X(double x) => Number.In("0.#", Left + ((At(x) - first) / (last - first) * (Width - Left - Right)));

        string Y(double y) => Number.In("0.#", Height - Bottom - (y / top * (Height - Top - Bottom)));
    }

    private static double Ceiling(double value)
    {
        var power = Math.Pow(10, Math.Floor(Math.Log10(value)));
        return power * Ceilings.First(step => power * step >= value);
    }
}

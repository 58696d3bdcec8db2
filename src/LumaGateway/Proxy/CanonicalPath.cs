using System.Globalization;
using System.Text;
using LumaGateway.Contracts;
using Microsoft.AspNetCore.Routing.Patterns;

namespace LumaGateway.Proxy;

/// <summary>
/// One spelling for each resource. Routing ignores case and a trailing slash, so a resource has several request paths; code that identifies a resource compares
/// canonical paths instead.
/// </summary>
internal static class CanonicalPath
{
    /// <summary>
    /// The route's literals in lower case and the route values unchanged, except for the canonical form of an id, such as <c>/luma/generations/G1/extend</c>. Empty segments of a
    /// catch-all value are removed. Empty if the request has no route.
    /// </summary>
    /// <param name="context">The request.</param>
    /// <param name="lowercaseCatchAll">Whether a catch-all value is put into lower case too: it can contain literals of the upstream's routes.</param>
    public static string Of(HttpContext context, bool lowercaseCatchAll = false)
    {
        if (context.GetEndpoint() is not RouteEndpoint { RoutePattern: var pattern })
        {
            return string.Empty;
        }

        var path = new StringBuilder();
        foreach (var segment in pattern.PathSegments)
        {
            var text = string.Concat(segment.Parts.Select(part => TextOf(part, context.Request.RouteValues, lowercaseCatchAll)));
            if (text.Length > 0)
            {
                path.Append('/').Append(text);
            }
        }

        return path.ToString();
    }

    private static string TextOf(RoutePatternPart part, RouteValueDictionary values, bool lowercaseCatchAll) => part switch
    {
        RoutePatternLiteralPart literal => literal.Content.ToLowerInvariant(),
        RoutePatternSeparatorPart separator => separator.Content,
        RoutePatternParameterPart { IsCatchAll: true } parameter => WithoutEmptySegments(ValueOf(parameter, values), lowercaseCatchAll),
        RoutePatternParameterPart parameter => CanonicalId(ValueOf(parameter, values)),
        _ => string.Empty,
    };

    private static string ValueOf(RoutePatternParameterPart parameter, RouteValueDictionary values) =>
        Convert.ToString(values[parameter.Name], CultureInfo.InvariantCulture) ?? string.Empty;

    private static string CanonicalId(string value) => GenerationId.TryParse(value, null, out var id) ? id.Value : value;

    private static string WithoutEmptySegments(string value, bool lowercase)
    {
        var segments = string.Join('/', value.Split('/', StringSplitOptions.RemoveEmptyEntries));
        return lowercase ? segments.ToLowerInvariant() : segments;
    }
}

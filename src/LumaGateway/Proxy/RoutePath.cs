using System.Globalization;
using System.Text;
using Microsoft.AspNetCore.Routing.Patterns;

namespace LumaGateway.Proxy;

/// <summary>
/// The path of a request as its route writes it. Routing ignores case and a slash at the end, so one resource has many spellings; whatever must recognize a
/// resource compares these paths instead of the text that was sent.
/// </summary>
internal static class RoutePath
{
    /// <summary>
    /// The route's literals in lower case and the request's values as they are, such as <c>/luma/generations/G1/extend</c>. Empty segments of a
    /// catch-all value are left out. Empty where the request has no route.
    /// </summary>
    /// <param name="context">The request.</param>
    /// <param name="foldsCatchAll">Whether a catch-all value is put into lower case too: it may hold literals of the upstream's routes.</param>
    public static string Of(HttpContext context, bool foldsCatchAll = false)
    {
        if (context.GetEndpoint() is not RouteEndpoint { RoutePattern: var pattern })
        {
            return string.Empty;
        }

        var path = new StringBuilder();
        foreach (var segment in pattern.PathSegments)
        {
            var text = string.Concat(segment.Parts.Select(part => TextOf(part, context.Request.RouteValues, foldsCatchAll)));
            if (text.Length > 0)
            {
                path.Append('/').Append(text);
            }
        }

        return path.ToString();
    }

    private static string TextOf(RoutePatternPart part, RouteValueDictionary values, bool foldsCatchAll) => part switch
    {
        RoutePatternLiteralPart literal => literal.Content.ToLowerInvariant(),
        RoutePatternSeparatorPart separator => separator.Content,
        RoutePatternParameterPart { IsCatchAll: true } parameter => Collapsed(ValueOf(parameter, values), foldsCatchAll),
        RoutePatternParameterPart parameter => ValueOf(parameter, values),
        _ => string.Empty,
    };

    private static string ValueOf(RoutePatternParameterPart parameter, RouteValueDictionary values) =>
        Convert.ToString(values[parameter.Name], CultureInfo.InvariantCulture) ?? string.Empty;

    private static string Collapsed(string value, bool folds)
    {
        var segments = string.Join('/', value.Split('/', StringSplitOptions.RemoveEmptyEntries));
        return folds ? segments.ToLowerInvariant() : segments;
    }
}

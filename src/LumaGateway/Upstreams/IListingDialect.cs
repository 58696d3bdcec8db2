using System.Net;
using System.Text.Json;
using LumaGateway.Problems;

namespace LumaGateway.Upstreams;

/// <summary>A dialect whose upstream lists the account's generations, newest first, so that one call answers for many. As pure as the rest.</summary>
internal interface IListingDialect : IUpstreamDialect
{
    /// <summary>The path of one page below <c>Luma:BaseAddress</c>, without a leading slash.</summary>
    string PathOfList(int limit, int offset);

    /// <summary>Reads a page. Throws <see cref="UpstreamException"/> and nothing else; a generation that cannot be read is left out.</summary>
    DialectPage ReadList(HttpStatusCode status, JsonElement body);
}

/// <summary>One page of a list.</summary>
/// <param name="Answers">What could be read.</param>
/// <param name="Length">How many there were.</param>
/// <param name="HasMore">Whether there are older ones.</param>
internal sealed record DialectPage(IReadOnlyList<DialectResult> Answers, int Length, bool HasMore);

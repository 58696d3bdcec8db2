using System.Net;
using System.Text.Json;
using LumaGateway.Problems;

namespace LumaGateway.Upstreams;

/// <summary>A dialect whose upstream lists the account's generations, newest first: one request reads many generations.</summary>
internal interface IListingDialect : IUpstreamDialect
{
    /// <summary>The path of one page below <c>Luma:BaseAddress</c>, without a leading slash.</summary>
    string PathOfList(int limit, int offset);

    /// <summary>Reads a page without the generations that cannot be read. Throws no exception other than <see cref="UpstreamException"/>.</summary>
    DialectPage ReadList(HttpStatusCode status, JsonElement body);
}

/// <summary>One page of a list.</summary>
/// <param name="Results">The generations that could be read.</param>
/// <param name="Length">The number of generations on the page, unreadable ones included.</param>
/// <param name="HasMore">Whether there are older generations.</param>
internal sealed record DialectPage(IReadOnlyList<DialectResult> Results, int Length, bool HasMore);

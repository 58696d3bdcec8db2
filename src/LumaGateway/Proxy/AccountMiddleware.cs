using LumaGateway.Access;
using LumaGateway.Contracts;
using LumaGateway.Problems;
using LumaGateway.Telemetry;
using LumaGateway.Upstreams;
using LumaGateway.Upstreams.Dialects;

namespace LumaGateway.Proxy;

/// <summary>
/// Determines the account of a request under <c>/luma</c> or of a create: that of the client, else that of the header <c>X-Luma-Account</c>, else that of the id in the path, else, for a create, one
/// that <see cref="AccountChooser"/> chooses by weight, else the first one. <c>files</c> and <c>usage</c> have the first account of the Agents API.
/// </summary>
internal sealed class AccountMiddleware(RequestDelegate next, UpstreamAccounts accounts, AccountDirectory directory, AccountSearch search, AccountChooser chooser)
{
    /// <summary>The name of an account. It is not sent to the upstream.</summary>
    public const string Header = "X-Luma-Account";

    private const string Prefix = "/luma/";
    private const string Files = "files";
    private const string Usage = "usage";

    public Task InvokeAsync(HttpContext context)
    {
        var isNamed = context.Request.Headers.TryGetValue(Header, out var values);
        var bound = RateLimitLease.Of(context)?.Client.Account;
        var named = isNamed ? accounts.Find(values.Count == 1 ? values[0] : null) : null;
        if (isNamed && (named is null || (bound is not null && named.Name != bound)))
        {
            return ProblemWriter.WriteAsync(context, ProblemKinds.UnknownAccount);
        }

        return (accounts.Only ?? accounts.Find(bound) ?? named) is { } given ? ContinueAsync(context, ProxyAccount.Given(given)) : FindAsync(context);
    }

    private async Task FindAsync(HttpContext context)
    {
        var path = CanonicalPath.Of(context, lowercaseCatchAll: true);
        path = path.StartsWith(Prefix, StringComparison.Ordinal) ? path[Prefix.Length..] : path;
        if (path is Files or Usage || path.StartsWith(Files + "/", StringComparison.Ordinal))
        {
            await ContinueAsync(context, ProxyAccount.Given(accounts.All.FirstOrDefault(static account => account.Dialect is AgentsDialect) ?? accounts.First));
        }
        else if (IdOf(context) is { } id)
        {
            await ContinueAsync(context, ProxyAccount.Given(await directory.FindAsync(id) ?? await SearchAsync(context, id)));
        }
        else
        {
            await ContinueAsync(context, HttpMethods.IsPost(context.Request.Method) ? OfCreate(path) : ProxyAccount.Given(accounts.First));
        }
    }

    /// <summary>
    /// The body of a create under <c>/luma</c> is written for one dialect: that of the first account whose upstream has the path. The gateway writes the body of other
    /// creates, for any dialect.
    /// </summary>
    private ProxyAccount OfCreate(string path) => path.StartsWith('/') ? ProxyAccount.Choose(chooser, accounts.All) : accounts.All.FirstOrDefault(account => account.Dialect.CreatePaths.Contains(path)) is { } first
        ? ProxyAccount.Choose(chooser, [.. accounts.All.Where(account => account.Dialect.Name == first.Dialect.Name)])
        : ProxyAccount.Given(accounts.First);

    /// <summary>The first account responds for an id that no account has. Throws <see cref="UpstreamException"/> if an account could not be asked.</summary>
    private async Task<UpstreamAccount> SearchAsync(HttpContext context, GenerationId id)
    {
        try
        {
            using var deadline = accounts.First.Client.StartDeadline();
            return (await search.ReadAsync(id, context.TraceIdentifier, deadline)).Account;
        }
        catch (UpstreamException exception) when (exception.Fault is UpstreamFault.NotFound)
        {
            return accounts.First;
        }
    }

    private Task ContinueAsync(HttpContext context, ProxyAccount account)
    {
        context.Features.Set(account);
        context.Features.Set<IRequestAccount>(account);
        return account.IsChosen ? ContinueWithChoiceAsync() : next(context);

        async Task ContinueWithChoiceAsync()
        {
            try
            {
                await next(context);
            }
            finally
            {
                account.ReturnUnused(chooser);
            }
        }
    }

    private static GenerationId? IdOf(HttpContext context) => GenerationId.TryParse(context.Request.RouteValues["id"] as string, null, out var id) ? id : null;
}

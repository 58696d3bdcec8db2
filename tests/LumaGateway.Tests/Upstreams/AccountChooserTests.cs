using LumaGateway.Problems;
using LumaGateway.Tests.Support;
using LumaGateway.Time;
using LumaGateway.Upstreams;

namespace LumaGateway.Tests.Upstreams;

/// <summary>The account of a create: shares by weight, and only accounts that accept creates. Needs nothing.</summary>
public sealed class AccountChooserTests : IDisposable
{
    private readonly TestClock _clock = new(DateTimeOffset.UnixEpoch);
    private readonly AccountChooser _chooser = new();
    private readonly UpstreamAccounts _accounts;

    public AccountChooserTests() => _accounts = TestAccounts.Create(
        new MonotonicClock(_clock), null, TestAccounts.Named("a", weight: 5), TestAccounts.Named("b", weight: 3), TestAccounts.Named("c", weight: 2), TestAccounts.Named("d", draining: true));

    public void Dispose() => _accounts.Dispose();

    [Fact]
    public void The_shares_of_the_accounts_are_their_weights()
    {
        Assert.Equal("a:500 b:300 c:200", Choose(1000));
    }

    [Fact]
    public void The_creates_of_an_account_do_not_come_in_a_row()
    {
        Assert.Equal("a b c a a b a c b a", string.Join(' ', Enumerable.Range(0, 10).Select(_ => _chooser.Choose(_accounts.All, [])!.Account.Name)));
    }

    [Fact]
    public void A_draining_account_is_never_chosen() => Assert.Null(_chooser.Choose([_accounts.Find("d")!], []));

    [Fact]
    public void An_account_that_refused_the_create_is_not_chosen_again()
    {
        var (a, b, c) = (_accounts.Find("a")!, _accounts.Find("b")!, _accounts.Find("c")!);

        Assert.Equal(c, _chooser.Choose(_accounts.All, [a, b])!.Account);
        Assert.Null(_chooser.Choose(_accounts.All, [a, b, c]));
    }

    [Theory]
    [InlineData(UpstreamFault.TokenRefused, 30)]
    [InlineData(UpstreamFault.OutOfCredit, 30)]
    [InlineData(UpstreamFault.Throttled, 60)]
    [InlineData(UpstreamFault.Unreachable, 5)]
    public void An_account_that_refused_a_create_gets_none_for_a_time(UpstreamFault fault, int seconds)
    {
        _accounts.Find("a")!.RecordRefusal(fault, fault is UpstreamFault.Throttled ? TimeSpan.FromSeconds(60) : null);

        Assert.Equal("b:60 c:40", Choose(100));
        _clock.Advance(TimeSpan.FromSeconds(seconds));
        Assert.Contains("a:", Choose(10), StringComparison.Ordinal);
    }

    [Fact]
    public void An_account_with_an_open_circuit_breaker_gets_none_until_its_pause_has_passed()
    {
        _accounts.Find("a")!.State.IsBreakerOpen = true;

        Assert.Equal("b:60 c:40", Choose(100));
        _clock.Advance(TimeSpan.FromSeconds(5));
        Assert.Contains("a:", Choose(10), StringComparison.Ordinal);
    }

    [Fact]
    public void If_no_account_accepts_creates_the_upstream_decides_once()
    {
        var (a, b) = (_accounts.Find("a")!, _accounts.Find("b")!);
        a.State.IsBreakerOpen = b.State.IsBreakerOpen = true;

        Assert.NotNull(_chooser.Choose([a, b], []));
        Assert.Null(_chooser.Choose([a, b], [a]));
    }

    [Fact]
    public void A_choice_that_was_given_back_does_not_change_the_shares()
    {
        var sent = new List<string>();
        for (var i = 0; i < 100; i++)
        {
            sent.Add(_chooser.Choose(_accounts.All, [])!.Account.Name);
            _chooser.Return(_chooser.Choose(_accounts.All, [])!);
        }

        Assert.Equal((50, 30, 20), (sent.Count(name => name == "a"), sent.Count(name => name == "b"), sent.Count(name => name == "c")));
    }

    private string Choose(int creates) => string.Join(' ', Enumerable.Range(0, creates)
        .Select(_ => _chooser.Choose(_accounts.All, [])!.Account.Name)
        .CountBy(name => name)
        .OrderBy(share => share.Key, StringComparer.Ordinal)
        .Select(share => $"{share.Key}:{share.Value}"));
}

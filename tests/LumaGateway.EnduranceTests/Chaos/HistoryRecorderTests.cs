namespace LumaGateway.EnduranceTests.Chaos;

/// <summary>Recorded calls of real replicas are judged. Needs nothing.</summary>
public sealed class HistoryRecorderTests
{
    private readonly Findings _findings = new();
    private readonly HistoryRecorder _history = new();

    [Fact]
    public void A_correct_history_violates_nothing()
    {
        Read("run-1", "processing", at: 1);
        Read("run-1", "completed", at: 3);
        Read("run-1", "processing", at: 4, replica: "1.0"); // the copy of another replica
        Read("purged-1", "completed", at: 1);
        Remove("purged-1", isDelete: false, at: 3);
        Read("purged-1", "failed", at: 5);
        Read("deleted-1", "completed", at: 1);
        Remove("deleted-1", isDelete: true, at: 3);
        Read("deleted-1", null, at: 5);
        _history.AddCreate("k", "id-1", TimeSpan.FromSeconds(1));
        _history.AddCreate("k", "id-1", TimeSpan.FromSeconds(2));

        Check();

        Assert.Empty(_findings.ViolatedInvariants);
        Assert.Equal(11, _history.Checked);
    }

    [Fact]
    public void A_final_state_that_becomes_interim_is_found()
    {
        Read("run-1", "completed", at: 1);
        Read("run-1", "processing", at: 3);

        AssertFound();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_state_from_before_a_removal_is_found(bool isDelete)
    {
        Remove("g-1", isDelete, at: 1);
        Read("g-1", "completed", at: 3);

        AssertFound();
    }

    [Fact]
    public void A_second_generation_for_one_key_is_found()
    {
        _history.AddCreate("k", "id-1", TimeSpan.FromSeconds(1));
        _history.AddCreate("k", "id-2", TimeSpan.FromSeconds(2));

        AssertFound();
    }

    [Fact]
    public void A_created_generation_that_is_not_found_is_found()
    {
        _history.AddCreate("k", "id-1", TimeSpan.FromSeconds(1));
        Read("id-1", null, at: 3);

        AssertFound();
    }

    [Fact]
    public void A_key_with_an_unreliable_removal_is_left_out()
    {
        Remove("g-1", isDelete: false, at: 1);
        Read("g-1", "completed", at: 3);

        _history.Check(_findings, _ => false);

        Assert.Empty(_findings.ViolatedInvariants);
        Assert.Equal(0, _history.Checked);
    }

    [Fact]
    public async Task The_file_has_one_JSON_object_for_each_call()
    {
        var path = Path.GetTempFileName();
        try
        {
            Read("run-1", "completed", at: 1);
            Remove("run-1", isDelete: true, at: 3);

            await _history.WriteAsync(path);

            var lines = await File.ReadAllLinesAsync(path, TestContext.Current.CancellationToken);
            Assert.Equal(2, lines.Length);
            Assert.Contains("\"replica\":\"0.0\",\"key\":\"run-1\",\"operation\":\"Read\"", lines[0], StringComparison.Ordinal);
            Assert.Contains("\"state\":\"Final\",\"version\":2", lines[0], StringComparison.Ordinal);
        }
        finally
        {
            File.Delete(path);
        }
    }

    private void Read(string id, string? state, int at, string replica = "0.0") => _history.AddRead(new ObservedResponse(
        replica, id, TimeSpan.FromSeconds(at), TimeSpan.FromSeconds(at + 1), state is null ? 404 : 200, $$"""{"state":"{{state}}"}""", null, null));

    private void Remove(string id, bool isDelete, int at) => _history.AddRemoval(id, isDelete, "0.0", TimeSpan.FromSeconds(at), TimeSpan.FromSeconds(at + 1), isConfirmed: true);

    private void Check() => _history.Check(_findings, _ => true);

    private void AssertFound()
    {
        Check();
        Assert.Equal([Invariant.HistoryIsConsistent], _findings.ViolatedInvariants);
    }
}

namespace LumaGateway.Sandbox.Files;

/// <summary>The files of the Agents API, newest first. Above <see cref="Capacity"/> the oldest is removed. Thread-safe.</summary>
internal sealed class FileStore(TimeProvider clock)
{
    public const string Pending = "pending";
    public const string Ready = "ready";
    public const string Failed = "failed";
    public const string Deleted = "deleted";

    private const int Capacity = 10_000;

    private readonly Lock _lock = new();
    private readonly List<SandboxFile> _files = [];

    public SandboxFile Add(string state, string mimeType, long sizeBytes, string? fileName, string purpose)
    {
        var file = new SandboxFile($"file_{Guid.NewGuid():N}", state, mimeType, sizeBytes, fileName, purpose, clock.GetUtcNow(), state is Ready ? sizeBytes : null);
        lock (_lock)
        {
            _files.Insert(0, file);
            if (_files.Count > Capacity)
            {
                _files.RemoveAt(Capacity);
            }
        }

        return file;
    }

    public SandboxFile? Find(string id)
    {
        lock (_lock)
        {
            return _files.Find(file => file.Id == id);
        }
    }

    /// <summary>Returns the changed file; null if there is none.</summary>
    public SandboxFile? Change(string id, Func<SandboxFile, SandboxFile> change)
    {
        lock (_lock)
        {
            var index = _files.FindIndex(file => file.Id == id);
            return index < 0 ? null : _files[index] = change(_files[index]);
        }
    }

    /// <summary>Returns null if the cursor names no file. Deleted files are listed only if they are asked for.</summary>
    /// <param name="cursor">The id of the last file of the previous page; null for the first page.</param>
    /// <param name="limit">The size of the page.</param>
    /// <param name="purpose">The purpose of the files; null for any.</param>
    /// <param name="state">The state of the files; null for any.</param>
    public (IReadOnlyList<SandboxFile> Page, bool HasMore)? List(string? cursor, int limit, string? purpose, string? state)
    {
        lock (_lock)
        {
            var start = cursor is null ? 0 : _files.FindIndex(file => file.Id == cursor) + 1;
            if (cursor is not null && start == 0)
            {
                return null;
            }

            var found = _files.Skip(start)
                .Where(file => (purpose is null || file.Purpose == purpose) && (state is null ? file.State is not Deleted : file.State == state))
                .Take(limit + 1)
                .ToList();
            return ([.. found.Take(limit)], found.Count > limit);
        }
    }
}

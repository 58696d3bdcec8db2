namespace LumaGateway.Sandbox.Gateway;

/// <summary>The last lines of the gateway's output, shown if it fails. After <see cref="PassOn"/> they also go to the console. Thread-safe.</summary>
internal sealed class GatewayOutput
{
    private const int Kept = 200;

    private readonly Lock _lock = new();
    private readonly Queue<string> _lines = new();
    private bool _passOn;

    public void Add(string? line)
    {
        if (line is null)
        {
            return;
        }

        lock (_lock)
        {
            _lines.Enqueue(line);
            if (_lines.Count > Kept)
            {
                _lines.Dequeue();
            }

            if (_passOn)
            {
                Console.WriteLine($"gateway | {line}");
            }
        }
    }

    public void PassOn()
    {
        lock (_lock)
        {
            _passOn = true;
        }
    }

    public string Tail()
    {
        lock (_lock)
        {
            return string.Join('\n', _lines);
        }
    }
}

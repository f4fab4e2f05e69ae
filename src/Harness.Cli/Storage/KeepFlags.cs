using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using Harness.Executions;
using Harness.Storage;

namespace Harness.Cli.Storage;

/// <summary>The flags that say what the store keeps of executions that have ended.</summary>
internal sealed class KeepFlags
{
    private readonly Option<TimeSpan?> _for;
    private readonly Option<int?> _count;
    private readonly Option<long?> _size;

    /// <param name="defaults">Adds the defaults to the descriptions: where nothing said means these and not "no limit".</param>
    public KeepFlags(bool defaults)
    {
        _for = new Option<TimeSpan?>("--keep-for")
        {
            Description = "Keep executions so long after their end: 12h, 30d, 4w" + (defaults ? " [default: 30d]" : ""),
            HelpName = "duration",
            CustomParser = Quantities.Duration,
        };
        _count = new Option<int?>("--keep-count")
        {
            Description = "Keep so many executions that have ended" + (defaults ? " [default: 100000]" : ""),
            HelpName = "n",
            CustomParser = result => Numbers.Parse(result, 0, 100_000_000),
        };
        _size = new Option<long?>("--keep-size")
        {
            Description = "Keep so much in all: 500MB, 10GiB" + (defaults ? " [default: 10GiB]" : ""),
            HelpName = "size",
            CustomParser = Quantities.Size,
        };
    }

    public void AddTo(Command command)
    {
        command.Options.Add(_for);
        command.Options.Add(_count);
        command.Options.Add(_size);
    }

    /// <summary>True when one of them was given.</summary>
    public bool IsGiven(CommandResult result) => result.GetResult(_for) is not null || result.GetResult(_count) is not null || result.GetResult(_size) is not null;

    /// <summary>As configuration of a server.</summary>
    public IEnumerable<KeyValuePair<string, string?>> ToSettings(ParseResult parsed)
    {
        (string Name, string? Value)[] settings =
        [
            (nameof(StoreOptions.Retention), parsed.GetValue(_for)?.ToString("c", CultureInfo.InvariantCulture)),
            (nameof(StoreOptions.MaxFinished), parsed.GetValue(_count)?.ToString(CultureInfo.InvariantCulture)),
            (nameof(StoreOptions.MaxBytes), parsed.GetValue(_size)?.ToString(CultureInfo.InvariantCulture)),
        ];
        return settings.Where(setting => setting.Value is not null).Select(setting => KeyValuePair.Create(StoreFlags.NameOf(setting.Name), setting.Value));
    }

    /// <summary>As a rule of a sweep: what was not given is no limit.</summary>
    public RetentionRule ToRule(ParseResult parsed, DateTimeOffset now) =>
        new(now - parsed.GetValue(_for), parsed.GetValue(_count), parsed.GetValue(_size));

    /// <summary>As the body of a request to a server.</summary>
    public Dictionary<string, object> ToRequest(ParseResult parsed)
    {
        var request = new Dictionary<string, object>();
        if (parsed.GetValue(_for) is { } duration)
        {
            request["keep_seconds"] = (long)duration.TotalSeconds;
        }

        if (parsed.GetValue(_count) is { } count)
        {
            request["keep_count"] = count;
        }

        if (parsed.GetValue(_size) is { } size)
        {
            request["keep_bytes"] = size;
        }

        return request;
    }
}

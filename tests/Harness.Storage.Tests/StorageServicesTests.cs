using Harness.Executions;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Harness.Storage.Tests;

/// <summary>The store a configuration leads to.</summary>
public sealed class StorageServicesTests : IDisposable
{
    private readonly DataFolder _folder = new();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task FolderOfTheConfigurationIsUsed()
    {
        var data = _folder.NewOptions().Data;
        await using var services = Build(("Data", data), ("Durability", "Full"), ("MaxBytes", "2000000"));

        await services.GetRequiredService<IExecutionStore>().OpenAsync(Stop);

        Assert.True(File.Exists(Path.Combine(data, "harness.db")));
        var options = services.GetRequiredService<IOptions<StoreOptions>>().Value;
        Assert.Equal(StoreDurability.Full, options.Durability);
        Assert.Equal(new RetentionRule(Appends.Noon.AddDays(-30), 100_000, 2_000_000), options.ToRule(Appends.Noon));
    }

    [Fact]
    public async Task MemoryOnlyKeepsNothing()
    {
        await using var services = Build(("MemoryOnly", "true"));

        var store = services.GetRequiredService<IExecutionStore>();

        Assert.False(store.IsPersistent);
        Assert.Equal(6, (await store.OpenAsync(Stop)).Epoch.Length);
    }

    [Theory]
    [InlineData("MaxBytes", "5")]
    [InlineData("Retention", "00:00:00")]
    [InlineData("Durability", "7")]
    [InlineData("Data", "")]
    public void SettingThatMakesNoSenseIsRefused(string name, string value)
    {
        using var services = Build((name, value));

        var error = Assert.Throws<OptionsValidationException>(() => services.GetRequiredService<IExecutionStore>());

        Assert.Contains(name, error.Message);
    }

    private static ServiceProvider Build(params (string Name, string Value)[] settings) => new ServiceCollection()
        .AddSingleton<IConfiguration>(new ConfigurationBuilder()
            .AddInMemoryCollection(settings.ToDictionary(setting => $"{StoreOptions.Section}:{setting.Name}", setting => (string?)setting.Value))
            .Build())
        .AddLogging()
        .AddSingleton(TimeProvider.System)
        .AddStorage()
        .BuildServiceProvider();
}

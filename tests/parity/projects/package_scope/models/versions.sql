{% set conf = helper.config_of_project() %}
select
    '{{ conf.project_name }}' as project,
    '{{ conf.version }}' as version,
    '{{ conf.dependencies["helper"].version }}' as helper,
    '{{ conf.dependencies.keys() | sort | join(",") }}' as packages,
    '{{ conf.target_name }}-{{ conf.threads }}-{{ conf.profile_name }}' as environment,
    {% if conf.args.require_generic_test_arguments_property %}1{% else %}0{% endif %} as flag,
    '{{ conf.cli_vars }}' as vars

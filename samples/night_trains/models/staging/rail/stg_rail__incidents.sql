-- depends_on: {{ ref('raw_incidents') }}
with source as (

    select * from {{ source('rail', 'incidents') }}

),

renamed as (

    select
        id as incident_id,
        departure_id,
        kind as incident_kind,
        minutes as delay_minutes,
        noticed_at

    from source

)

select * from renamed

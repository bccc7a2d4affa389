-- depends_on: {{ ref('raw_departures') }}
with source as (

    select * from {{ source('rail', 'departures') }}

),

renamed as (

    select
        id as departure_id,
        line as line_code,
        service_date,
        scheduled_departure as scheduled_departure_at,
        scheduled_arrival as scheduled_arrival_at,
        actual_arrival as arrived_at,
        is_cancelled

    from source

)

select * from renamed
